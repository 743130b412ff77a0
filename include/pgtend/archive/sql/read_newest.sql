-- The month of the newest row, and whether any row has no month at all.
SELECT {month} AS month, newest.is_endless
FROM (
    SELECT max({time}) FILTER (WHERE isfinite({time})) AS {time}, COALESCE(bool_or(NOT isfinite({time})), FALSE) AS is_endless
    FROM ONLY {table}
) AS newest
