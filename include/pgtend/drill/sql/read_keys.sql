-- Every index and constraint of the copy by its name as pg_restore lists it, and the indexes that are not valid or not ready.
SELECT
    ARRAY(
        SELECT translate(n.nspname || ' ' || i.relname, E'\n\r', '  ')
        FROM pg_class AS i JOIN pg_namespace AS n ON n.oid = i.relnamespace
        WHERE i.relkind IN ('i', 'I')
    ) AS indexes,
    ARRAY(
        SELECT translate(n.nspname || ' ' || c.relname || ' ' || k.conname, E'\n\r', '  ')
        FROM pg_constraint AS k
        JOIN pg_class AS c ON c.oid = k.conrelid
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
    ) AS constraints,
    ARRAY(
        SELECT n.nspname || '.' || i.relname
        FROM pg_index AS x
        JOIN pg_class AS i ON i.oid = x.indexrelid
        JOIN pg_namespace AS n ON n.oid = i.relnamespace
        WHERE NOT (x.indisvalid AND x.indisready)
        ORDER BY 1
    ) AS invalid
