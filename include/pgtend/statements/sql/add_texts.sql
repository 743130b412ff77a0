-- Keeps texts that have no literal left.
-- on: ledger
SELECT reporting.add_statement_texts(
    %(target)s::smallint, %(day)s::date, %(scrub_version)s::smallint, %(database_oid)s::bigint, %(role_oids)s::bigint[],
    %(toplevels)s::boolean[], %(queryids)s::bigint[], %(roles)s::text[], %(fingerprints)s::text[], %(queries)s::text[])
