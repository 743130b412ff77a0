-- How large an index of the copy is, by its name.
SELECT pg_relation_size(c.oid) AS size
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = %(name)s
