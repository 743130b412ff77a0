-- Runs a statement on the copy, in a transaction that is rolled back, and tells what it cost.
EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) EXECUTE pgtend_asked{values}
