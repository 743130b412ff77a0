-- Gives an index of a month that leaves a name that no index of another table has.
ALTER INDEX {index} RENAME TO {new}
