-- Tells the planner what the partitioned table holds: autovacuum looks at partitions alone.
ANALYZE {table}
