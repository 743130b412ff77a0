-- Gives the planner statistics of tables that were just filled, one after the other.
ANALYZE {tables}
