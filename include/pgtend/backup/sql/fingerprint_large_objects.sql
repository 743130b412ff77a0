-- Counts the large objects and hashes what is in them without regard to order, a megabyte at a time. They are opened as
-- pg_dump opens them, so that the same rights are enough, and a hole looks like the zeros that it is restored as.
-- Each step is a query of its own: what opens, measures and closes an object must happen in this order.
SELECT
    count(*) FILTER (WHERE piece.at = 0) AS rows,
    COALESCE(sum(hashtextextended(
        encode(lo_get(object.oid, piece.at, 1048576), 'hex') COLLATE "C",
        hashint8extended(piece.at, hashoidextended(object.oid, object.size))
    )), 0)::text AS digest
FROM (
    SELECT measured.oid, measured.size, lo_close(measured.fd)
    FROM (
        SELECT opened.oid, opened.fd, lo_lseek64(opened.fd, 0, 2) AS size
        FROM (SELECT l.oid, lo_open(l.oid, 262144) AS fd FROM pg_largeobject_metadata AS l) AS opened
    ) AS measured
) AS object,
generate_series(0, greatest(object.size - 1, 0), 1048576) AS piece (at)
