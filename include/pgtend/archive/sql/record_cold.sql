-- Writes down that a month is in the vault, and how far it is known to be right there.
INSERT INTO pgtend_archive.cold AS c (source_id, month, gen, key, rows, checksum, state)
VALUES (
    %(source_id)s::int, %(month)s::date, %(gen)s::int, %(key)s, %(rows)s::bigint, %(checksum)s::numeric, %(state)s
)
ON CONFLICT (source_id, month, gen) DO UPDATE SET
    state = excluded.state, key = excluded.key, rows = excluded.rows, checksum = excluded.checksum
