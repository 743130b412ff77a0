-- Reads where each sequence is. Sequences are in no snapshot, so this comes before any dump: what is restored is then at
-- this value or later.
SELECT s.schemaname::text AS schema, s.sequencename::text AS name, s.last_value, s.increment_by AS increment, s.cycle AS cycles
FROM pg_sequences AS s
JOIN pg_class AS c ON c.oid = to_regclass(format('%%I.%%I', s.schemaname, s.sequencename))
WHERE NOT EXISTS (
    SELECT FROM pg_depend AS d
    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
)
ORDER BY s.schemaname COLLATE "C", s.sequencename COLLATE "C"
