-- Opens a run: makes missing partitions, closes what died, writes the row and the intent, all in one round trip.
-- on: ledger
SELECT started_at, vanished
FROM reporting.start_run(%(run_id)s::text, %(database)s::text, %(pipeline)s::text, %(actor)s::text, %(run_url)s::text)
