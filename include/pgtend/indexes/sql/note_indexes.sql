-- Notes what one look showed; the ledger makes differences of it, by name, so that they survive a new OID and a restart.
-- on: ledger
SELECT reporting.note_indexes(
    %(run_id)s::text, %(at)s::timestamptz, %(database)s::text, %(node)s::text, %(system_identifier)s::text,
    %(is_standby)s::boolean, %(server_started_at)s::timestamptz, %(schemas)s::text[], %(tables)s::text[],
    %(names)s::text[], %(oids)s::bigint[], %(definitions)s::text[], %(sizes)s::bigint[], %(row_counts)s::bigint[],
    %(scan_counts)s::bigint[], %(entry_counts)s::bigint[], %(valid)s::boolean[]
)
