-- Opens a month again whose rows become others, as a late row does: what the vault has of it is not all of it any more.
UPDATE pgtend_archive.unit SET state = 'moving', gen = gen + 1, changed_at = clock_timestamp()
WHERE (source_id, month) = (%(source_id)s::int, %(month)s::date) AND state IN ('sealed', 'stored', 'proven')
