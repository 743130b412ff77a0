-- The plan of a statement for these very values, without running it.
EXPLAIN (FORMAT JSON) EXECUTE pgtend_asked{values}
