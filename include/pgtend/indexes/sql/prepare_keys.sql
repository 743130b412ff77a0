-- A type for the keys that an index takes from a row, and whether it takes any.
CREATE TABLE pgtend_spread.row_keys AS
SELECT {named} FROM ONLY {table} WITH NO DATA
