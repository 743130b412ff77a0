-- Lets the values of a column be values: from 18 on a partition with an identity of its own cannot be attached.
ALTER TABLE {partition} ALTER COLUMN {column} DROP IDENTITY IF EXISTS
