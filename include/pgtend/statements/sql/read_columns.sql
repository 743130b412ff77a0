-- The columns of the view, because a server that was upgraded may still have the extension of the one before.
SELECT attname::text AS name
FROM pg_attribute
WHERE attrelid = to_regclass(format('%%I.pg_stat_statements', %(schema)s::text)) AND attnum > 0 AND NOT attisdropped
ORDER BY attnum
