-- The keys of a sample, in no order within those that occur about equally often. An entry has its key, and 8 bytes of its own, or
-- 16 where a part is NULL; a row has 24.
CREATE TEMPORARY TABLE pgtend_keys ON COMMIT DROP AS
SELECT
    g.*,
    row_number() OVER (ORDER BY {names}) AS place,
    row_number() OVER (PARTITION BY g.stratum ORDER BY random()) AS turn
FROM (
    SELECT
        {names},
        count(*) AS times,
        width_bucket(count(*), ARRAY[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]::bigint[]) AS stratum,
        8 * ceil(
            (max(pg_column_size(row({names}))) - 24 + CASE WHEN num_nulls({names}) > 0 THEN 16 ELSE 8 END) / 8.0
        )::int AS entry,
        concat({absences}) AS absent
    FROM (SELECT {named} FROM {sample} WHERE {condition}) AS s
    GROUP BY {names}
) AS g
