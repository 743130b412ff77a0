-- Brings archived rows back into the live table: out of the archive, into the table and off the ledger in one statement. What the
-- table took is hashed as well, without generated columns: a trigger may change a row on its way in.
WITH gone AS (
    DELETE FROM ONLY {table} WHERE {condition} RETURNING *
), back AS (
    INSERT INTO {live} ({columns}) {overriding} SELECT {columns} FROM gone RETURNING {taken} AS "pgtend.hash"
), known AS (
    UPDATE pgtend_archive.unit SET
        rows = rows - (SELECT count(*) FROM gone),
        checksum = checksum
            - (SELECT COALESCE(sum({hashed}), 0) FROM gone),
        state = CASE state WHEN 'moving' THEN state ELSE 'sealed' END, gen = gen + 1, changed_at = clock_timestamp()
    WHERE (source_id, month) = (%(source_id)s::int, %(month)s::date)
    RETURNING 1
)
SELECT
    (SELECT count(*) FROM gone) AS gone,
    (SELECT count(*) FROM back) AS back,
    (SELECT sum({taken}) FROM gone) IS NOT DISTINCT FROM (SELECT sum("pgtend.hash") FROM back) AS is_same,
    (SELECT count(*) FROM known) AS known
