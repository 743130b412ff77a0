-- Makes statistics of one table alone: a partitioned table is sampled, its partitions are judged one by one.
-- needs: >= 18
ANALYZE ONLY {table}
