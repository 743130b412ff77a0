-- Asks whether a batch of evidence is still to be written: an answer lost on its way must not double it.
-- on: ledger
SELECT reporting.claim_batch(%(run_id)s::text, %(started_at)s::timestamptz, %(batch)s::integer, %(size)s::integer) AS is_new
