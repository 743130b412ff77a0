-- The months of one table as the ledger in its database knows them, each with the holds that are on it.
SELECT
    u.source_id,
    u.month,
    u.gen,
    u.state,
    u.rows,
    u.checksum::text AS checksum,
    u.columns,
    u.partition,
    u.came_from,
    u.sealed_at,
    u.proven_at,
    u.dropped_at,
    EXISTS (
        SELECT FROM pgtend_archive.hold AS h
        WHERE (h.source_id, h.month) = (u.source_id, u.month) AND (h.until IS NULL OR h.until > clock_timestamp())
    ) AS is_held,
    EXISTS (
        SELECT FROM pgtend_archive.hold AS h
        WHERE (h.source_id, h.month) = (u.source_id, u.month) AND h.is_legal
          AND (h.until IS NULL OR h.until > clock_timestamp())
    ) AS is_held_by_law
FROM pgtend_archive.unit AS u
INNER JOIN pgtend_archive.source AS s USING (source_id)
WHERE (s.schema_name, s.table_name) = (%(schema)s, %(name)s)
ORDER BY u.month
