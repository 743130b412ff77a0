-- How large the index on the spread rows became, and over how many pages they are spread.
SELECT
    pg_relation_size(c.oid) AS size,
    pg_relation_size(i.indrelid) AS spread_over
FROM pg_class AS c
INNER JOIN pg_index AS i ON i.indexrelid = c.oid
WHERE c.oid = to_regclass('pgtend_spread.places_keys')
