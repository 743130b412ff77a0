-- A year of a fleet in the ledger, as its own jobs would have left it: for pages that must stay fast, and for pictures.
-- Each line of the list below is one pipeline: how often it runs, how long it takes, and one in how many fails.
DO $$
DECLARE
    month date;
BEGIN
    FOR month IN SELECT generate_series(date_trunc('month', now() - interval '12 months'), date_trunc('month', now()), interval '1 month') LOOP
        IF to_regclass('reporting.run_' || to_char(month, 'YYYY_MM')) IS NULL THEN
            EXECUTE format('CREATE TABLE reporting.%I PARTITION OF reporting.run FOR VALUES FROM (%L) TO (%L)',
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
