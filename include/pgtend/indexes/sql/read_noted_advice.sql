-- What was advised, found or refuted last about each change of indexes, in the weeks that count.
-- on: ledger
SELECT DISTINCT ON (a.schema_name, a.index_name, a.up_sql)
    a.schema_name,
    a.index_name,
    a.up_sql,
    a.status,
    a.priority,
    a.why,
    a.gain,
    a.worst_harm,
    a.write_cost,
    a.size,
    a.took_to_build,
    a.delivered_as
FROM reporting.index_advices AS a
WHERE a.database = %(database)s AND a.at > now() - %(span)s::interval
ORDER BY a.schema_name ASC, a.index_name ASC, a.up_sql ASC, a.at DESC
