-- Waits without a limit of its own: lock_timeout would also end the waits for other sessions' snapshots and throw away a
-- finished build. A second session watches instead.
SELECT
    set_config('lock_timeout', '0', FALSE) AS lock_timeout,
    set_config('statement_timeout', %(statement_timeout)s::text, FALSE) AS statement_timeout,
    set_config('maintenance_work_mem', %(memory)s::text, FALSE) AS memory,
    set_config('max_parallel_maintenance_workers', %(workers)s::text, FALSE) AS workers
