-- A year of a fleet in the ledger, as its own jobs would have left it: for pages that must stay fast, and for pictures.
-- Each line of the list below is one pipeline: how often it runs, how long it takes, and one in how many fails.
DO $$
DECLARE
    month date;
BEGIN
    FOR month IN SELECT generate_series(date_trunc('month', now() - interval '12 months'), date_trunc('month', now()), interval '1 month') LOOP
        IF to_regclass('reporting.run_' || to_char(month, 'YYYY_MM')) IS NULL THEN
            EXECUTE format('CREATE TABLE reporting.%%I PARTITION OF reporting.run FOR VALUES FROM (%%L) TO (%%L)',
                'run_' || to_char(month, 'YYYY_MM'), month, month + interval '1 month');
        END IF;
    END LOOP;
END
$$;

INSERT INTO reporting.run (run_id, database, pipeline, actor, run_url, started_at, ended_at, outcome, error_code,
    error_message, hint, evidence_rows)
SELECT
    to_char(began, 'YYYYMMDD"T"HH24MISS"Z"') || '-' || left(md5(name || pipeline || began::text), 8),
    name, pipeline, 'airflow:scheduled',
    'http://127.0.0.1/dags/' || name || '.' || pipeline || '/runs/scheduled__' || to_char(began, 'YYYY-MM-DD'),
    began, began + takes * (0.7 + random() * 0.6),
    CASE WHEN random() * one_in < 1 THEN 'failed' ELSE 'succeeded' END, '', '', '', 40
FROM unnest(%(names)s::text[]) WITH ORDINALITY AS named (name, place)
CROSS JOIN (VALUES
    ('backup', interval '1 day', interval '6 min', 150),
    ('analyze', interval '1 day', interval '2 min', 200),
    ('statements', interval '1 hour', interval '8 s', 3000),
    ('health', interval '1 hour', interval '4 s', 3000),
    ('restore_drill', interval '7 days', interval '14 min', 60),
    ('archive', interval '1 month', interval '25 min', 12),
    ('reindex', interval '7 days', interval '11 min', 40)
) AS does (pipeline, every, takes, one_in)
CROSS JOIN LATERAL generate_series(
    now() - interval '1 year' + place * interval '7 min' + length(pipeline) * interval '13 min', now() - interval '20 min', every
) AS at (began);

UPDATE reporting.run SET error_code = 'postgres.locked_out', error_message = 'could not lock public.visits in time',
    hint = 'In the way: pid 4711 of app_server, idle in transaction. See docs/runbooks/locked-out.md.'
WHERE outcome = 'failed';

INSERT INTO reporting.vault_listing (run_id, at, database, vault, place, is_copy, backups, unfinished)
SELECT 'seen', now() - interval '1 hour', name, vault, 's3://' || vault, vault = 'offsite', 30, 0
FROM unnest(%(names)s::text[]) AS name CROSS JOIN (VALUES ('main'), ('offsite')) AS kept (vault);

INSERT INTO reporting.backup (run_id, at, database, vault, backup_id, taken_at, stored_at, checked_at, state, stored_bytes,
    plain_bytes, rows, tables, took, snapshot_held, server_version, sealed_for, keep, keep_until, keep_reason)
SELECT 'seen', now() - interval '2 hours', name, vault, to_char(taken, 'YYYYMMDD"T"HH24MISS"Z"') || '-' || left(md5(name || age), 8),
    taken, taken + interval '7 min', taken + interval '9 min',
    CASE WHEN age IN (3, 10, 17, 24) THEN 'PROVEN' ELSE 'VERIFIED' END,
    (4.1e9 - age * 2.3e6 + length(name) * 1e7)::bigint, 16000000000 - age * 9000000, 41000000 - age * 21000, 64,
    interval '6 min' + age * interval '1 s', interval '5 min', '15.14', 'operations, escrow', true,
    (taken + interval '14 days')::date, CASE WHEN age < 14 THEN 'one of the last 14 days' ELSE 'the Sunday of its week' END
FROM unnest(%(names)s::text[]) AS name
CROSS JOIN (VALUES ('main'), ('offsite')) AS kept (vault)
CROSS JOIN generate_series(0, 29) AS age
CROSS JOIN LATERAL (SELECT date_trunc('day', now()) + interval '2 hours' - age * interval '1 day' AS taken) AS moment;

INSERT INTO reporting.statement_target (database)
SELECT name FROM unnest(%(names)s::text[]) AS name;

INSERT INTO reporting.statement (fingerprint, query, query_hash, scrub_version, last_seen)
SELECT left(md5(n::text), 16),
    (ARRAY['SELECT * FROM visits WHERE patient_id = $1 ORDER BY at DESC LIMIT $2',
        'UPDATE appointments SET state = $1, changed_at = now() WHERE id = $2 AND state <> $3',
        'INSERT INTO audit_log (actor, action, target, detail) VALUES ($1, $2, $3, $4)',
        'SELECT count(*) FROM readings AS r JOIN devices AS d ON d.id = r.device_id WHERE d.ward = $1 AND r.at > $2',
        'DELETE FROM sessions WHERE expires_at < $1'])[1 + n %% 5] || ' /* ' || n || ' */',
    decode(md5(n::text), 'hex'), 1, current_date
FROM generate_series(1, 200) AS n;

INSERT INTO reporting.statement_series (target_id, database_oid, role_oid, is_toplevel, queryid, role, fingerprint,
    statement_id, first_seen, last_seen)
SELECT target.target_id, 1, 1, true, text.statement_id, 'app_server', text.fingerprint, text.statement_id,
    current_date - 365, current_date
FROM reporting.statement_target AS target CROSS JOIN reporting.statement AS text;

INSERT INTO reporting.statement_snapshot (target_id, day, run_id, taken_at, since, system_identifier, timeline,
    postmaster_started_at, is_standby, server_version, extension_version, database_oid, has_stats_since, capacity,
    entries_on_server)
SELECT target.target_id, day::date, 'night', day + interval '1 day', day, 'one', 1, now() - interval '400 days', false, 150014,
    '1.10', 1, false, 5000, 200
FROM reporting.statement_target AS target CROSS JOIN generate_series(current_date - 365, current_date - 1, interval '1 day') AS day;

DO $$
DECLARE
    month date;
BEGIN
    FOR month IN SELECT generate_series(date_trunc('month', now() - interval '12 months'), date_trunc('month', now()), interval '1 month') LOOP
        IF to_regclass('reporting.statement_day_' || to_char(month, 'YYYY_MM')) IS NULL THEN
            EXECUTE format('CREATE TABLE reporting.%%I PARTITION OF reporting.statement_day FOR VALUES FROM (%%L) TO (%%L)',
                'statement_day_' || to_char(month, 'YYYY_MM'), month, month + interval '1 month');
        END IF;
    END LOOP;
END
$$;

INSERT INTO reporting.statement_day (day, target_id, flags, series_id, calls, rows, exec_ms, exec_ssq, shared_blks_hit,
    shared_blks_read, temp_blks_written, wal_bytes)
SELECT night.day, series.target_id, 0, series.series_id, often, often * 3, often * each, often * each * each * 1.2,
    often * 11, often / 3, CASE WHEN series.series_id %% 7 = 0 THEN often / 10 END, CASE WHEN series.series_id %% 3 = 0 THEN often * 240 END
FROM reporting.statement_snapshot AS night
JOIN reporting.statement_series AS series ON series.target_id = night.target_id
CROSS JOIN LATERAL (SELECT 20 + (series.series_id * 7919 + night.snapshot_id) %% 9000 AS often) AS many
CROSS JOIN LATERAL (SELECT 0.05 + ((series.series_id * 31) %% 400) / 9.0 * (0.9 + random() * 0.2)
    * CASE WHEN series.series_id %% 200 = 17 AND night.day > current_date - 9 THEN 6 ELSE 1 END AS each) AS long
ORDER BY night.day, series.target_id;

INSERT INTO reporting.statement_judgement (run_id, at, database, day, judged, nights, night_shift)
SELECT 'night', now() - interval '5 hours', name, current_date - 1, 200, 28, 1.0 FROM unnest(%(names)s::text[]) AS name;

INSERT INTO reporting.statement_finding (run_id, at, database, day, kind, fingerprint, role, calls, mean_ms, usual_ms, ratio, z,
    extra_ms, share, cause, first_bad_day, nights)
SELECT 'night', now() - interval '5 hours', name, current_date - 1, 'regression', left(md5('17'), 16), 'app_server', 5210, 71.4,
    11.9, 6.0, 12.5, 309000, 0.18, 'it reads six times as many blocks a call since the index visits_patient_id_idx is gone',
    current_date - 8, 8
FROM unnest(%(names)s::text[]) WITH ORDINALITY AS named (name, place) WHERE place = 2;
