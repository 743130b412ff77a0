-- The judgement of the server itself, without moving the chain over the network.
-- on: ledger
SELECT seq, what AS fault FROM reporting.audit_breaks ORDER BY seq
