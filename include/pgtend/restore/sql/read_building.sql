-- What a session may take to build indexes while nobody else works there: a share of what the server keeps for itself
-- anyway, at most 1 GB, and never less than it would take by itself.
SELECT
    greatest(memory.setting::bigint, least(buffers.setting::bigint * 8 / %(jobs)s::int, 1048576)) AS kilobytes,
    greatest(workers.setting::int, %(jobs)s::int) AS workers
FROM pg_settings AS memory, pg_settings AS buffers, pg_settings AS workers
WHERE memory.name = 'maintenance_work_mem'
  AND buffers.name = 'shared_buffers'
  AND workers.name = 'max_parallel_maintenance_workers'
