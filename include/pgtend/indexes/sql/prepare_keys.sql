-- A type for the keys that an index takes from a row, and whether it takes any.
CREATE TEMPORARY TABLE pgtend_row_keys ON COMMIT DROP AS
SELECT {named} FROM ONLY {table} WITH NO DATA
