-- The audit in pages, in the order of the chain, with the very text of the detail that was hashed.
-- on: ledger
SELECT seq, at, login, actor, action, target, detail::text AS detail, prev, hash
FROM reporting.audit WHERE seq > %(seq)s::bigint ORDER BY seq LIMIT %(page)s::integer
