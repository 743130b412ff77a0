-- How many blocks of indexes were found in the cache, and how many were not.
SELECT
    coalesce(sum(i.idx_blks_hit), 0)::bigint AS hit,
    coalesce(sum(i.idx_blks_read), 0)::bigint AS read
FROM pg_statio_user_indexes AS i
