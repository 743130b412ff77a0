-- When everything was last reset, and how often the server threw out what it saw least; from version 1.9 on.
SELECT dealloc, stats_reset
FROM {schema}.pg_stat_statements_info
