-- Where the server writes in its WAL: the difference around a rebuild is what everybody wrote meanwhile.
SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint AS position
