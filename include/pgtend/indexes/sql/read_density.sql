-- How full the pages of a B-tree are; reads all of it. Deleted and empty pages count as gone, which its density alone hides.
-- extension: pgstattuple
SELECT
    s.leaf_pages,
    s.avg_leaf_density AS density
FROM {schema}.pgstatindex(%(index)s::oid::regclass) AS s
