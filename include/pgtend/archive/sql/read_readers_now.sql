-- Which transactions use a table now. Who still does a moment later reads for long: a detach would have to wait for them, and the
-- month could not be seen until then. Since when they do is shown to superusers alone, so two looks are compared.
SELECT DISTINCT l.virtualtransaction AS transaction
FROM pg_locks AS l
WHERE l.relation = %(relation)s::bigint::oid AND l.granted AND l.pid <> pg_backend_pid()
  AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
