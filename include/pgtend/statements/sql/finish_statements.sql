-- Turns counters into the cost of a night, and tells how good the reading was.
-- on: ledger
SELECT day, since, taken_at, baseline_reason, readings, missed_nights, resets, deallocated, capacity, entries_on_server,
    entries, entries_new, entries_reset, entries_gone, entries_counted, texts_missing, calls, exec_ms, bytes_copied,
    has_stats_since AS is_exact
FROM reporting.finish_statements(%(target)s::smallint, %(day)s::date, %(facts)s::jsonb)
