-- The nights of one target up to one of them, newest first, with what they were judged to have in common.
-- on: ledger
SELECT night.day, night.since, night.taken_at, night.baseline_reason, night.readings, night.missed_nights, night.resets,
    night.deallocated, night.capacity, night.entries_on_server, night.entries, night.entries_new, night.entries_reset,
    night.entries_gone, night.entries_counted, night.texts_missing, night.calls, night.exec_ms, night.bytes_copied,
    night.is_exact, night.server_version / 10000 AS major, coalesce(verdict.night_shift, 1) AS night_shift
FROM reporting.statement_nights AS night
LEFT JOIN reporting.statement_verdicts AS verdict
    ON verdict.database = night.database AND verdict.replica = night.replica AND verdict.day = night.day
WHERE night.database = %(database)s AND night.replica = %(replica)s AND night.day <= %(day)s
ORDER BY night.day DESC
LIMIT %(nights)s
