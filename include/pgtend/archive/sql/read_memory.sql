-- Tells whether our tables are in this database yet, and how the rows were hashed that they speak of.
SELECT
    to_regclass('pgtend_archive.cold') IS NOT NULL AS is_there,
    COALESCE((
        SELECT col_description(a.attrelid, a.attnum)
        FROM pg_attribute AS a
        WHERE a.attrelid = to_regclass('pgtend_archive.unit') AND a.attname = 'checksum'
    ), '') AS algorithm
