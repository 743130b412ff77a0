-- Says that a vault was looked through to its end. It comes after what was seen there: without it that was no listing.
-- on: ledger
INSERT INTO reporting.vault_listing (run_id, database, vault, place, is_copy, backups, unfinished, doubts)
VALUES (%(run_id)s, %(database)s, %(vault)s, %(place)s, %(is_copy)s, %(backups)s, %(unfinished)s, %(doubts)s)
