-- What the first page says of backups: of each database the newest good one, the newest proven one, and what is damaged.
-- on: ledger
SELECT
    listing.database, max(listing.listed_at) AS listed_at,
    string_agg(DISTINCT nullif(listing.doubts, ''), '; ') AS doubts,
    max(seen.good_at) AS good_at, max(seen.proven_at) AS proven_at,
    coalesce(sum(seen.good), 0)::integer AS good, coalesce(sum(seen.unfit), 0)::integer AS unfit,
    max(seen.newest_bytes) FILTER (WHERE NOT listing.is_copy) AS newest_bytes
FROM reporting.vault_listings AS listing
LEFT JOIN LATERAL (
    SELECT
        max(place.taken_at) FILTER (WHERE place.state NOT IN ('DAMAGED', 'BROKEN')) AS good_at,
        max(place.taken_at) FILTER (WHERE place.state = 'PROVEN') AS proven_at,
        count(*) FILTER (WHERE place.state NOT IN ('DAMAGED', 'BROKEN')) AS good,
        count(*) FILTER (WHERE place.state IN ('DAMAGED', 'BROKEN')) AS unfit,
        (array_agg(place.stored_bytes ORDER BY place.taken_at DESC))[1] AS newest_bytes
    FROM reporting.backup_places AS place
    WHERE place.database = listing.database AND place.vault = listing.vault
) AS seen ON true
WHERE listing.database = ANY (%(databases)s::text[])
GROUP BY listing.database
