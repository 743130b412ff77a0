-- Lifts the holds on a month; that there were some stays in the ledger of the fleet.
UPDATE pgtend_archive.hold AS h SET until = clock_timestamp()
FROM pgtend_archive.source AS s
WHERE s.source_id = h.source_id AND (s.schema_name, s.table_name) = (%(schema)s, %(name)s)
  AND h.month = %(month)s::date AND (h.until IS NULL OR h.until > clock_timestamp())
RETURNING h.hold_id
