-- How many checkpoints came by the clock and how many because WAL filled up; servers from 17 on count them elsewhere.
SELECT
    (to_jsonb(w) ->> 'checkpoints_timed')::bigint AS timed,
    (to_jsonb(w) ->> 'checkpoints_req')::bigint AS forced
FROM pg_stat_bgwriter AS w
