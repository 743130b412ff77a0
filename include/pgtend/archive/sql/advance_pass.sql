-- Moves the cursor behind the pages of a batch, if it still stands where that began.
UPDATE pgtend_archive.pass SET next_block = %(next_block)s::bigint, moved = moved + %(moved)s::bigint
WHERE source_id = %(source_id)s::int AND relation = %(relation)s::bigint::oid AND next_block = %(from_block)s::bigint
RETURNING next_block, last_block, moved
