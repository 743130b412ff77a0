-- What a session may take to build indexes while nobody else works there: a share of what the server keeps for itself
-- anyway, at most 1 GB, and never less than it would take by itself. A server of which we know how much memory is free
-- gives a share of an eighth of that, at most 256 MB: with few buffers it would sort on its disk. Helpers take cores away
-- from the other jobs, so that there are as many as cores are left. 0 stands for not known.
SELECT
    greatest(
        memory.setting::bigint,
        least(buffers.setting::bigint * 8 / %(jobs)s::int, 1048576),
        least(%(free)s::bigint / 8 / %(jobs)s::int, 262144)
    ) AS kilobytes,
    CASE %(cores)s::int
        WHEN 0 THEN greatest(workers.setting::int, %(jobs)s::int)
        ELSE greatest(%(cores)s::int / %(jobs)s::int - 1, 0)
    END AS workers
FROM pg_settings AS memory, pg_settings AS buffers, pg_settings AS workers
WHERE memory.name = 'maintenance_work_mem'
  AND buffers.name = 'shared_buffers'
  AND workers.name = 'max_parallel_maintenance_workers'
