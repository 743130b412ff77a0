-- Makes a value look the same in every session, turns rows that a policy would hide into an error, and tells audit
-- triggers of the application that a row is not deleted but archived. A batch fits into memory, and a sealed month, whose rows
-- are read by their day or their key, needs no fine statistics. A batch is planned once and not each time, and counting and
-- indexing take one processor, because others want the rest, and starting a second one costs a tenth of it.
SELECT
    set_config('row_security', 'off', FALSE) AS row_security,
    set_config('extra_float_digits', '1', FALSE) AS float_digits,
    set_config('IntervalStyle', 'postgres', FALSE) AS intervals,
    set_config('bytea_output', 'hex', FALSE) AS bytes,
    set_config('lc_monetary', 'C', FALSE) AS money,
    set_config('work_mem', '32MB', FALSE) AS memory,
    set_config('default_statistics_target', '3', FALSE) AS statistics,
    set_config('plan_cache_mode', 'force_generic_plan', FALSE) AS plans,
    set_config('max_parallel_workers_per_gather', '0', FALSE) AS workers,
    set_config('max_parallel_maintenance_workers', '0', FALSE) AS indexers,
    set_config('pgtend.archiving', 'on', FALSE) AS archiving
