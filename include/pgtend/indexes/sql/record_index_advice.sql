-- Keeps what was thought about, how it was judged, and what was measured.
-- on: ledger
INSERT INTO reporting.index_advice (
    run_id, database, schema_name, table_name, index_name, kind, status, priority, up_sql, down_sql, why, gain, worst_harm,
    write_cost, size, took_to_build, delivered_as
) VALUES (
    %(run_id)s, %(database)s, %(schema_name)s, %(table_name)s, %(index_name)s, %(kind)s, %(status)s, %(priority)s,
    %(up_sql)s, %(down_sql)s, %(why)s, %(gain)s, %(worst_harm)s, %(write_cost)s, %(size)s, %(took_to_build)s,
    %(delivered_as)s
)
