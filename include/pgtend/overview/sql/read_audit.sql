-- The audit, newest first, a page at a time.
-- on: ledger
SELECT seq, at, login, actor, action, target, detail::text AS detail, encode(hash, 'hex') AS hash
FROM reporting.audit
WHERE (%(before)s::bigint = 0 OR seq < %(before)s::bigint)
  AND (%(target)s::text = '' OR target = %(target)s::text OR target LIKE %(target)s::text || '/%%')
ORDER BY seq DESC LIMIT %(most)s::integer
