-- Spreads the rows of a copy over as many pages as in production, in the same order: for each its place in the copy, which takes
-- 36 bytes of the 8168 that a page has, and after the last of a page a padding that fills it up.
-- A page nobody looked at has as many rows as one of the nearest stretch. All are scaled, so that every row finds its page.
INSERT INTO {spread} (pointer, pgtend_filler)
WITH stretch AS (
    SELECT
        given.first_page,
        given.number,
        look.length,
        CASE WHEN given.number > 1 THEN (lag(given.first_page) OVER w + look.length + given.first_page) / 2 ELSE 0 END AS low,
        coalesce((given.first_page + look.length + lead(given.first_page) OVER w) / 2, %(pages)s::bigint) AS high
    FROM unnest(%(firsts)s::bigint[]) WITH ORDINALITY AS given (first_page, number)
    CROSS JOIN (SELECT cardinality(%(counts)s::smallint[]) / cardinality(%(firsts)s::bigint[]) AS length) AS look
    WINDOW w AS (ORDER BY given.number)
),
page AS (
    SELECT
        p.page,
        sum((%(counts)s::smallint[])[
            (s.number - 1) * s.length + 1 + mod(mod(p.page - s.first_page, s.length) + s.length, s.length)
        ]) OVER (ORDER BY p.page) AS rows_so_far
    FROM stretch AS s
    CROSS JOIN LATERAL generate_series(s.low, s.high - 1) AS p (page)
),
filled AS (
    SELECT
        scaled.page,
        scaled.last_row,
        lag(scaled.last_row, 1, 0) OVER (ORDER BY scaled.page) AS rows_before
    FROM (
        SELECT
            page.page,
            CASE
                WHEN page.page = %(pages)s::bigint - 1 THEN %(rows)s::bigint
                ELSE least(round(page.rows_so_far * share.scale)::bigint, %(rows)s::bigint)
            END AS last_row
        FROM page
        CROSS JOIN (
            -- What is nearly right stays as it was seen: rounding would put rows of equally full pages elsewhere.
            SELECT CASE WHEN abs(s.scale - 1) < 0.005 THEN 1 ELSE s.scale END AS scale
            FROM (SELECT %(rows)s::numeric / max(p.rows_so_far) AS scale FROM page AS p) AS s
        ) AS share
    ) AS scaled
),
row_of_copy AS (
    -- By place: a scan that joins another one would begin elsewhere.
    SELECT
        t.ctid AS pointer,
        row_number() OVER (ORDER BY t.ctid) AS number
    FROM ONLY {table} AS t
)
SELECT
    r.pointer,
    CASE
        WHEN n.number >= f.last_row
            THEN nullif(repeat('x', least((8164 - 36 * (n.number - f.rows_before - 1)) / 8 * 8, 8160)::int - 36), '')
    END AS pgtend_filler
FROM filled AS f
CROSS JOIN LATERAL generate_series(f.rows_before + 1, greatest(f.last_row, f.rows_before + 1)) AS n (number)
LEFT JOIN row_of_copy AS r ON r.number = n.number AND n.number <= f.last_row
ORDER BY f.page, n.number
