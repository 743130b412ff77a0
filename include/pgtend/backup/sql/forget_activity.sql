-- Lets the next look at pg_stat_activity show what is true now: inside a transaction it shows what the first one showed.
SELECT pg_stat_clear_snapshot()
