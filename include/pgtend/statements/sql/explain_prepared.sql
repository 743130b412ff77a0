-- The plan for any values, without running the statement: each value is NULL, and none is looked at.
EXPLAIN (FORMAT JSON) EXECUTE pgtend_plan{values}
