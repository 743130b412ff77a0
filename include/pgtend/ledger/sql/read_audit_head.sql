-- The newest entry, for whoever anchors it elsewhere; none in an empty ledger.
-- on: ledger
SELECT seq, encode(hash, 'hex') AS hash FROM reporting.audit ORDER BY seq DESC LIMIT 1
