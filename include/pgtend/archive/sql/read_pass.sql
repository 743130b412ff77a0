-- How far a walk came, as the batch that has not been committed yet left it.
SELECT next_block, last_block, moved
FROM pgtend_archive.pass
WHERE source_id = %(source_id)s::int AND relation = %(relation)s::bigint::oid
