-- Copies a random share of a table's pages into a table that only our transaction sees and that ends with it.
CREATE TEMPORARY TABLE pgtend_sample ON COMMIT DROP AS
SELECT * FROM ONLY {table} TABLESAMPLE SYSTEM ({percent})
