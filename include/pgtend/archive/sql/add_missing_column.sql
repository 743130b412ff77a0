-- Gives a month that leaves as a whole a column that its table has no more and its archive still has.
ALTER TABLE {partition} ADD COLUMN {column} {kind}
