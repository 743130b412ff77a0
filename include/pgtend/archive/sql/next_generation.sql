-- Lets a month be stored anew beside what the vault may have of it: that counts as older from now on, and is removed as such.
UPDATE pgtend_archive.unit SET gen = gen + 1, changed_at = clock_timestamp()
WHERE (source_id, month, gen) = (%(source_id)s::int, %(month)s::date, %(gen)s::int)
