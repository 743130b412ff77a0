-- How many rows of the table have some keys of a sample. What was deleted meanwhile was there when the sample was taken.
SELECT
    pgtend_k.place,
    pgtend_k.times,
    pgtend_k.entry,
    greatest(
        pgtend_k.times,
        (SELECT count(*) FROM (SELECT FROM ONLY {table} WHERE {condition} LIMIT %(most)s::bigint) AS found)
    ) AS rows
FROM {keys} AS pgtend_k
WHERE {chosen} AND pgtend_k.absent = %(absent)s::text
