-- Copies a table page by page: what lies on one page there lies on one page here, and padding fills up what
-- was empty. An inverted index packs its lists of rows by their distance, so that a tighter copy gives a smaller index.
-- 8168 bytes of a page are for rows; each takes 4 for its pointer, and begins at a multiple of 8.
INSERT INTO {sample}
SELECT
    (piece.one).*,
    piece.padding
FROM (
    SELECT
        counted.one,
        counted.block,
        counted.next_block,
        counted.filled - coalesce(
            max(counted.filled) FILTER (WHERE counted.next_block <> counted.block)
            OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0
        ) AS filled
    FROM (
        SELECT
            sized.one,
            sized.block,
            lead(sized.block, 1, %(pages)s::bigint) OVER () AS next_block,
            sum(sized.size) OVER (ROWS UNBOUNDED PRECEDING) AS filled
        FROM (
            -- What comes before the first row.
            SELECT NULL::{table} AS one, -1::bigint AS block, 0::bigint AS size
            UNION ALL
            SELECT
                s AS one,
                (s.ctid::text::point)[0]::bigint AS block,
                -- What is too long for a page is kept elsewhere, the widest value first, and 18 bytes say where.
                4 + 8 * ceil((
                    pg_column_size(row(s.*, NULL::text))
                    - CASE WHEN pg_column_size(row(s.*, NULL::text)) > 2032 THEN greatest({widest} - 18, 0) ELSE 0 END
                ) / 8.0)::bigint AS size
            FROM ONLY {table} AS s
            WHERE s.ctid >= '(0,0)'::tid AND s.ctid < format('(%%s,0)', %(pages)s::bigint)::tid
        ) AS sized
    ) AS counted
) AS page
CROSS JOIN (
    SELECT (8 * ceil((23 + ceil((count(*) + 1) / 8.0)) / 8.0) + 4)::int AS size FROM pg_attribute AS a
    WHERE a.attrelid = %(table)s::oid AND a.attnum > 0 AND NOT a.attisdropped
) AS header
CROSS JOIN LATERAL (SELECT greatest(8164 - page.filled, 0)::int / 8 * 8 - header.size AS size) AS room
CROSS JOIN LATERAL (
    SELECT page.one, NULL::text AS padding WHERE page.block >= 0
    UNION ALL
    SELECT NULL, repeat('x', room.size)
    WHERE page.block >= 0 AND page.next_block <> page.block AND room.size > 0
    UNION ALL
    -- Pages on which nothing lives.
    SELECT NULL, repeat('x', 8160 - header.size) FROM generate_series(page.block + 2, page.next_block)
) AS piece
