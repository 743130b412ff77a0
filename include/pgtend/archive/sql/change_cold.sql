-- Writes down what became of a month in the vault.
UPDATE pgtend_archive.cold SET state = %(state)s
WHERE (source_id, month, gen) = (%(source_id)s::int, %(month)s::date, %(gen)s::int)
