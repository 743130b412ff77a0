-- Lets the planner of this session believe that there is an index, without building it.
-- extension: hypopg
SELECT made.indexrelid::bigint AS oid
FROM {schema}.hypopg_create_index(%(definition)s::text) AS made
