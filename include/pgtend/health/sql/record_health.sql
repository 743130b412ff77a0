-- Keeps one look at a database, and makes yesterday out of its looks when a new day began.
-- on: ledger
SELECT
    reporting.record_health(
        %(database)s::text, %(at)s::timestamptz, %(took)s::real, %(stale_after)s::interval, %(server)s::text,
        %(level)s::text, %(names)s::text[], %(units)s::text[], %(numbers)s::double precision[],
        %(findings)s::jsonb, %(pools)s::jsonb, %(memory)s::jsonb
    ) AS is_kept
