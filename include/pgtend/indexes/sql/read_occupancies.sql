-- How the rows of tables with inverted indexes were spread in production when somebody looked in the last weeks.
-- on: ledger
SELECT
    o.database,
    o.schema_name,
    o.table_name,
    o.pages,
    o.firsts,
    o.rows_on_pages
FROM reporting.table_occupancies AS o
WHERE o.database = %(database)s AND o.at > now() - %(span)s::interval
