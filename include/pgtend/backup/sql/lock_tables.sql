-- Keeps everybody from truncating, rewriting or dropping these tables before the snapshot exists: those changes are
-- visible to snapshots that are older than they are, and pg_dump would store an empty table and report success.
LOCK TABLE {tables} IN ACCESS SHARE MODE
