-- With the type goes the function that gives it, and with that the index that calls it.
DROP TABLE pg_temp.pgtend_row_keys CASCADE
