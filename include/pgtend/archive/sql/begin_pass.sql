-- Begins a walk through some pages of a table. Where to begin is asked of the rows themselves, not of the walk before: a table
-- that was written anew meanwhile (VACUUM FULL, CLUSTER, repack) has other pages.
INSERT INTO pgtend_archive.pass AS p (source_id, relation, cutoff, next_block, last_block)
VALUES (
    %(source_id)s::int, %(relation)s::bigint::oid, %(cutoff)s::date, %(first_block)s::bigint, %(last_block)s::bigint
)
ON CONFLICT (source_id, relation) DO UPDATE SET
    next_block = excluded.next_block,
    last_block = excluded.last_block,
    moved = CASE WHEN p.cutoff = excluded.cutoff THEN p.moved ELSE 0 END,
    cutoff = excluded.cutoff
RETURNING next_block, last_block, moved
