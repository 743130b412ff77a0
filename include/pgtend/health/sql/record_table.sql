-- Keeps how large a table is today, so that its growth has a history.
-- on: ledger
INSERT INTO reporting.health_table (
    database, at, name, size, rows, dead, dead_ratio, stale_ratio, vacuumed_at
) VALUES (
    %(database)s, %(at)s, %(name)s, %(size)s, %(rows)s, %(dead)s, %(dead_ratio)s, %(stale_ratio)s, %(vacuumed_at)s
)
