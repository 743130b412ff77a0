-- Lets the copy's planner know the expressions of a new index.
ANALYZE {table}
