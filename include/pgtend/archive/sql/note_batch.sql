-- Writes into the ledger what the old rows of some pages hold, as this transaction sees them where they still are: how many they
-- are, month by month, and the sum of the hashes of their content. By day first, because the day of a row is cheaper to tell
-- than its month; rows of a month that is known are asked for by where it begins and ends, which is cheaper again.
WITH counted AS (
    SELECT date_trunc('month', days.day::timestamp)::date AS month, sum(days.rows)::bigint AS rows, sum(days.checksum) AS checksum
    FROM (
        SELECT {day} AS day, count(*) AS rows, sum({hashed}) AS checksum
        FROM ONLY {table} AS old
        WHERE old.ctid >= %(first)s::tid AND old.ctid < %(last)s::tid AND {these} AND {due}
        GROUP BY 1
    ) AS days
    GROUP BY 1
), known AS (
    INSERT INTO pgtend_archive.unit AS u (source_id, month, state, rows, checksum, columns, partition)
    SELECT %(source_id)s::int, month, 'moving', rows, checksum, %(described)s::text[], ''
    FROM counted
    ON CONFLICT (source_id, month) DO UPDATE SET
        rows = u.rows + excluded.rows,
        checksum = u.checksum + excluded.checksum,
        gen = u.gen + (u.state NOT IN ('moving', 'detaching'))::int,
        state = 'moving',
        changed_at = clock_timestamp()
)
SELECT month, rows FROM counted
