-- What others may rely upon, in the words of its comments, for the reference page.
-- on: ledger
SELECT view.relname::text AS name, '' AS part, '' AS kind, obj_description(view.oid, 'pg_class') AS comment, 0 AS place
FROM pg_class AS view
WHERE view.relnamespace = 'reporting'::regnamespace AND view.relkind = 'v'
UNION ALL
SELECT view.relname::text, field.attname::text, format_type(field.atttypid, field.atttypmod),
    coalesce(col_description(view.oid, field.attnum), ''), field.attnum
FROM pg_class AS view JOIN pg_attribute AS field ON field.attrelid = view.oid AND field.attnum > 0
WHERE view.relnamespace = 'reporting'::regnamespace AND view.relkind = 'v'
UNION ALL
SELECT act.proname::text, pg_get_function_identity_arguments(act.oid), pg_get_function_result(act.oid),
    obj_description(act.oid, 'pg_proc'), -1
FROM pg_proc AS act
WHERE act.pronamespace = 'reporting'::regnamespace AND has_function_privilege('pgtend_writer', act.oid, 'EXECUTE')
ORDER BY name, place
