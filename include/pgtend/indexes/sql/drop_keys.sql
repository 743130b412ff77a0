-- With the type goes the function that gives it, and with that the index that calls it.
DROP TABLE pgtend_spread.row_keys CASCADE
