-- Writes down anew what a month holds, after it was found to be what the ledger said: its columns changed, or it came as a whole.
UPDATE pgtend_archive.unit SET
    rows = %(rows)s::bigint, checksum = %(checksum)s::numeric, columns = %(described)s::text[], changed_at = clock_timestamp()
WHERE (source_id, month) = (%(source_id)s::int, %(month)s::date)
