-- The roles that views and functions are granted to belong to the whole cluster, so another ledger may have made them.
-- on: ledger
SELECT needed.name, (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user) AS may_create
FROM unnest(ARRAY['pgtend_reader', 'pgtend_writer']) AS needed (name)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = needed.name)
ORDER BY needed.name
