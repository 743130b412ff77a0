-- Moves the old rows of some pages, in one statement with the ledger and the cursor: whatever ends it, each row is in exactly one
-- place, and the ledger knows the content of those that left. It waits for whoever changes a row meanwhile, and moves it as it is
-- then. Dearer than copying and deleting as of one moment: each row is kept aside on its way and read twice. What the archive took
-- is told by the answer to the INSERT, and what left by how far the pass counted: counting rows by returning them is dear. Day and
-- hash of a row are made where it is deleted and at hand, and come first, so that whoever adds them up reads nothing else of it.
WITH gone AS (
    DELETE FROM ONLY {table} AS old
    WHERE old.ctid >= %(first)s::tid AND old.ctid < %(last)s::tid AND {due}
    RETURNING {day} AS "pgtend.day", {hashed} AS "pgtend.hash", {columns}
), counted AS (
    SELECT date_trunc('month', day::timestamp)::date AS month, sum(rows)::bigint AS rows, sum(checksum) AS checksum
    FROM (SELECT "pgtend.day" AS day, count(*) AS rows, sum("pgtend.hash") AS checksum FROM gone GROUP BY 1) AS days
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
), walked AS (
    UPDATE pgtend_archive.pass SET
        next_block = %(next_block)s::bigint,
        moved = moved + (SELECT COALESCE(sum(rows), 0) FROM counted)
    WHERE source_id = %(source_id)s::int AND relation = %(relation)s::bigint::oid AND next_block = %(from_block)s::bigint
)
INSERT INTO {archive} ({columns}) SELECT {columns} FROM gone
