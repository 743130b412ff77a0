-- Every statement of this database, without the texts: they lie in a file that may be hundreds of megabytes. There is no
-- filter and no limit: what is left out once would look new when it comes back. In braces is what versions call otherwise.
COPY (
    SELECT
        userid, coalesce({toplevel}, true), queryid, dbid,
        calls, plans, rows, total_exec_time, calls * (stddev_exec_time ^ 2 + mean_exec_time ^ 2), total_plan_time,
        shared_blks_hit, shared_blks_read, shared_blks_dirtied, shared_blks_written,
        local_blks_hit, local_blks_read, local_blks_dirtied, local_blks_written, temp_blks_read, temp_blks_written,
        {shared_read_ms}, {shared_write_ms}, {local_read_ms}, {local_write_ms}, {temp_read_ms}, {temp_write_ms},
        wal_records, wal_fpi, wal_bytes, {wal_buffers_full}, {jit_functions},
        {jit_generation}::float8 + {jit_inlining}::float8 + {jit_optimization}::float8 + {jit_emission}::float8
            + coalesce({jit_deform}::float8, 0),
        {parallel_to_launch}, {parallel_launched}, {generic_plans}, {custom_plans},
        min_exec_time, max_exec_time, {stats_since}, {minmax_since}
    FROM {schema}.pg_stat_statements(false)
    WHERE queryid IS NOT NULL AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
) TO STDOUT
