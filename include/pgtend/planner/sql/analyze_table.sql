-- Makes statistics of one table, and on servers before 18 of all its partitions.
ANALYZE {table}
