-- A value that the planner's statistics know of a column, to plan a statement with: in memory, never written down.
SELECT known.found[1 + floor(%(place)s::float8 * (cardinality(known.found) - 1))::int] AS value
FROM pg_stats AS s
CROSS JOIN LATERAL (
    SELECT coalesce(s.histogram_bounds::text::text[], s.most_common_vals::text::text[]) AS found
) AS known
WHERE
    s.schemaname = %(schema)s::text AND s.tablename = %(table)s::text AND s.attname = %(column)s::text AND NOT s.inherited
    AND cardinality(known.found) > 0
