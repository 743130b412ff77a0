-- The plan for any values, without running the statement and without one of its values.
-- needs: >= 16
EXPLAIN (GENERIC_PLAN, FORMAT JSON) {statement}
