-- Takes the counters as they come, in the order in which they are asked of the server.
-- on: ledger
COPY pg_temp.pgtend_statement_stage (
    role_oid, is_toplevel, queryid, database_oid,
    calls, plans, rows, exec_ms, exec_ssq, plan_ms,
    shared_blks_hit, shared_blks_read, shared_blks_dirtied, shared_blks_written,
    local_blks_hit, local_blks_read, local_blks_dirtied, local_blks_written, temp_blks_read, temp_blks_written,
    shared_read_ms, shared_write_ms, local_read_ms, local_write_ms, temp_read_ms, temp_write_ms,
    wal_records, wal_fpi, wal_bytes, wal_buffers_full, jit_functions, jit_ms, parallel_to_launch, parallel_launched,
    generic_plans, custom_plans, min_exec_ms, max_exec_ms, stats_since, minmax_since
) FROM STDIN
