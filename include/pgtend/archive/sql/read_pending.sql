-- Whether a month is part of the archive, fully or only until the next FINALIZE.
SELECT i.inhdetachpending AS is_pending
FROM pg_inherits AS i
WHERE i.inhrelid = %(relation)s::bigint::oid
