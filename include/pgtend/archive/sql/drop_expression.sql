-- Lets the values of a generated column be values, which stay as they are.
ALTER TABLE {partition} ALTER COLUMN {column} DROP EXPRESSION IF EXISTS
