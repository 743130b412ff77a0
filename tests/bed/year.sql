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

INSERT INTO reporting.health_metric (place, name, unit)
SELECT place, name, unit
FROM unnest(
    ARRAY['reachable', 'connections_used', 'sessions', 'sessions_active', 'sessions_idle', 'cache_hit', 'database_size',
        'disk_used', 'disk_days', 'dead_rows', 'replication_lag', 'transaction_age', 'lock_wait', 'longest_query'],
    ARRAY['amount', 'percent', 'amount', 'amount', 'amount', 'percent', 'bytes', 'percent', 'days', 'percent', 'bytes',
        'percent', 'seconds', 'seconds']
) WITH ORDINALITY AS known (name, unit, place);

INSERT INTO reporting.health_reading (database, at, took, numbers)
SELECT name, at, 0.4, ARRAY[1, 30 + 20 * busy, 60 + 40 * busy, 4 + 16 * busy, 56, 99.1, 4.2e10, 61, 88, 3, 2e6 * busy, 11, 0, 3 * busy]
FROM unnest(%(names)s::text[]) AS name
CROSS JOIN generate_series(now() - interval '14 days', now(), interval '5 min') AS at
CROSS JOIN LATERAL (SELECT greatest(0, sin(extract(epoch FROM at) / 13751)) * (0.8 + random() * 0.4) AS busy) AS load;

INSERT INTO reporting.health_day (database, day, looks, low, mean, high, last)
SELECT name, day, 288, numbers, numbers, numbers, numbers
FROM unnest(%(names)s::text[]) AS name
CROSS JOIN generate_series(date_trunc('day', now()) - interval '365 days', date_trunc('day', now()) - interval '1 day', interval '1 day') AS day
CROSS JOIN LATERAL (SELECT extract(epoch FROM day - now() + interval '365 days') / 31536000 AS grown) AS share
CROSS JOIN LATERAL (SELECT ARRAY[1, 40, 80, 9 + random() * 4, 60, 98.6 + random(), 2.6e10 + 1.6e10 * grown, 40 + 21 * grown,
    300 - 212 * grown, 3, 1e6 * random(), 11 + 3 * grown, 0, 2]::real[] AS numbers) AS made;

INSERT INTO reporting.health_current (database, at, stale_after, server, level, findings, pools, memory)
SELECT name, now(), interval '1 day', 'PostgreSQL 15.14', CASE WHEN place = 5 THEN 'warning' ELSE 'ok' END,
    jsonb_build_array(
        jsonb_build_object('watched', 'connections_used', 'level', CASE WHEN place = 5 THEN 'warning' ELSE 'ok' END,
            'value', CASE WHEN place = 5 THEN 81 ELSE 38 END, 'about', '', 'reason', 'within its limits',
            'explanation', CASE WHEN place = 5 THEN '81 %% of 200 connections are taken, 75 %% is the limit' ELSE '' END,
            'since', now() - interval '40 min'),
        jsonb_build_object('watched', 'cache_hit', 'level', 'ok', 'value', 99.1, 'about', '', 'reason', 'within its limits'),
        jsonb_build_object('watched', 'disk_used', 'level', 'ok', 'value', 61, 'about', '', 'reason', 'within its limits'),
        jsonb_build_object('watched', 'database_size', 'level', 'ok', 'value', 4.2e10, 'about', '', 'reason', 'kept for its trend'),
        jsonb_build_object('watched', 'transaction_age', 'level', 'ok', 'value', 11, 'about', '', 'reason', 'within its limits'),
        jsonb_build_object('watched', 'replication_lag', 'level', 'not watched', 'value', NULL, 'about', '', 'reason', 'there is no standby')),
    jsonb_build_array(
        jsonb_build_object('application', 'app_server', 'role', 'app', 'sessions', 48, 'active', 6, 'idle', 41,
            'idle_in_transaction', 1, 'idle_long', 30),
        jsonb_build_object('application', 'reports', 'role', 'report', 'sessions', 6, 'active', 1, 'idle', 5,
            'idle_in_transaction', 0, 'idle_long', 1)),
    '{}'
FROM unnest(%(names)s::text[]) WITH ORDINALITY AS named (name, place);

INSERT INTO reporting.health_table (database, at, name, size, rows, dead, dead_ratio, stale_ratio, vacuumed_at)
SELECT name, day, 'public.' || known, size * (1 + grown), size / 120, size / 9000, 0.02, 0.01, day - interval '9 hours'
FROM unnest(%(names)s::text[]) AS name
CROSS JOIN generate_series(now() - interval '365 days', now(), interval '1 day') AS day
CROSS JOIN LATERAL (SELECT extract(epoch FROM day - now() + interval '365 days') / 31536000 AS grown) AS share
CROSS JOIN (VALUES ('visits', 9000000000), ('audit_log', 7400000000), ('readings', 12000000000), ('appointments', 800000000),
    ('patients', 310000000), ('sessions', 90000000)) AS one (known, size);

INSERT INTO reporting.drill (run_id, at, database, backup_id, vault, rule, verdict, failure_class, taken_at, started_at, ended_at,
    isolation_level, isolation_means, server_version, rto_target, rto_measured, rto_predicted, rpo_target, rpo_measured,
    source_size, checks_due, not_checked)
SELECT to_char(began, 'YYYYMMDD"T"HH24MISS"Z"') || '-' || left(md5(name || week), 8), began + interval '15 min', name,
    to_char(began - interval '3 hours', 'YYYYMMDD"T"HH24MISS"Z"') || '-' || left(md5(name), 8), 'main',
    (ARRAY['newest', 'random', 'oldest', 'second_vault'])[1 + week %% 4], CASE WHEN week = 9 THEN 'FAIL' ELSE 'PASS' END,
    CASE WHEN week = 9 THEN 'ENVIRONMENT' ELSE '' END, began - interval '3 hours', began, began + took, 3, 'bubblewrap', '15.14',
    interval '1 hour', took, took * 1.05, interval '26 hours', interval '3 hours', (4.2e10 - week * 3e8)::bigint,
    'rows, fingerprints, structure', ''
FROM unnest(%(names)s::text[]) AS name
CROSS JOIN generate_series(0, 51) AS week
CROSS JOIN LATERAL (SELECT date_trunc('hour', now()) - interval '2 days' - week * interval '7 days' AS began,
    interval '14 min' + (52 - week) * interval '18 s' + random() * interval '1 min' AS took) AS moment;

INSERT INTO reporting.drill_stage (run_id, at, database, stage, started_at, took, bytes, rows)
SELECT drill.run_id, drill.at, drill.database, stage, drill.started_at + place * interval '1 s', drill.rto_measured * part,
    CASE WHEN stage LIKE '%%data' THEN drill.source_size END, NULL
FROM reporting.drill AS drill
CROSS JOIN unnest(ARRAY['provision', 'isolate', 'fetch', 'pre-data', 'data', 'post-data', 'verify data', 'structure', 'smoke', 'wipe'],
    ARRAY[0.01, 0.01, 0.08, 0.02, 0.42, 0.27, 0.14, 0.02, 0.02, 0.01]) WITH ORDINALITY AS one (stage, part, place);

INSERT INTO reporting.drill_check (run_id, at, database, check_name, subject, outcome, failure_class, expected, found, detail)
SELECT drill.run_id, drill.at, drill.database, name, '', 'passed', '', 'identical', 'identical', ''
FROM reporting.drill AS drill CROSS JOIN unnest(ARRAY['isolation', 'rows', 'fingerprints', 'sequences', 'structure', 'owners']) AS name;

INSERT INTO reporting.index_rebuild (run_id, at, database, schema_name, table_name, index_name, definition, decision, reason,
    outcome, method, size_before, size_predicted, size_after, rows, table_size, took, yielded)
SELECT 'rebuild', now() - interval '2 days', name, 'public', 'visits', 'visits_' || n || '_idx', md5(n::text),
    CASE WHEN n < 6 THEN 'rebuild' ELSE 'skip' END,
    CASE WHEN n < 6 THEN 'larger than its best shape by more than the limit' ELSE 'close enough to its best shape' END,
    CASE WHEN n < 6 THEN 'proved' ELSE 'left alone' END, 'drill', 900000000 - n * 7000000, 300000000, CASE WHEN n < 6 THEN 310000000 END,
    9000000, 9000000000, CASE WHEN n < 6 THEN interval '3 min' END, 0
FROM unnest(%(names)s::text[]) AS name CROSS JOIN generate_series(1, 40) AS n;
