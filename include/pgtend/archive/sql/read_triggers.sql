-- The triggers of a table that a DELETE fires, or, of an archive, an INSERT; those that PostgreSQL made itself are not meant.
SELECT
    t.tgname::text AS name,
    CASE WHEN t.tgtype & 2 <> 0 THEN 'BEFORE' ELSE 'AFTER' END AS moment,
    t.tgtype & 1 <> 0 AS is_per_row,
    t.tgtype & 8 <> 0 AS on_delete,
    t.tgtype & 4 <> 0 AS on_insert
FROM pg_trigger AS t
WHERE t.tgrelid = %(relation)s::bigint::oid AND NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgtype & 12 <> 0
ORDER BY t.tgname
