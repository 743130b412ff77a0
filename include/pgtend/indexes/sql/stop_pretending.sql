-- Takes the belief back.
-- extension: hypopg
SELECT {schema}.hypopg_drop_index(%(index)s::oid) AS is_gone
