-- Writes down that a month takes rows. One whose rows are only in the vault begins anew, beside what is stored there.
INSERT INTO pgtend_archive.unit AS u (source_id, month, state, columns, partition, came_from)
VALUES (%(source_id)s::int, %(month)s::date, %(state)s, %(described)s::text[], %(partition)s, %(came_from)s)
ON CONFLICT (source_id, month) DO UPDATE SET
    gen = u.gen + 1, state = excluded.state, rows = 0, checksum = 0, columns = excluded.columns,
    partition = excluded.partition, came_from = excluded.came_from, changed_at = clock_timestamp(),
    sealed_at = NULL, proven_at = NULL, dropped_at = NULL
WHERE u.state IN ('dropped', 'destroyed')
