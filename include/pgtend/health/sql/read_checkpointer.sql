-- How many checkpoints came by the clock and how many because WAL filled up, as servers count them since 17.
-- needs: >= 17
SELECT
    c.num_timed AS timed,
    c.num_requested AS forced
FROM pg_stat_checkpointer AS c
