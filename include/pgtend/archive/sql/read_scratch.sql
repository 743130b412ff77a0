-- Finds the temporary table of this session.
SELECT c.oid::bigint AS oid FROM pg_class AS c WHERE c.relname = 'pgtend_scratch' AND c.relnamespace = pg_my_temp_schema()
