-- Tells whether our tables are in this database yet.
SELECT to_regclass('pgtend_archive.cold') IS NOT NULL AS is_there
