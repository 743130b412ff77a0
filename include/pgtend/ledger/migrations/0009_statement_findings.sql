-- What was concluded from the nights: what got worse and why, plans of slow statements, and the views that people read.

CREATE TABLE reporting.statement_finding (
    run_id text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    database text NOT NULL,
    replica text NOT NULL DEFAULT '',
    day date NOT NULL,
    kind text NOT NULL CHECK (kind IN ('regression', 'improvement', 'newcomer', 'disappeared', 'load', 'whole server')),
    fingerprint text NOT NULL DEFAULT '',
    role text NOT NULL DEFAULT '',
    calls bigint NOT NULL DEFAULT 0,
    mean_ms double precision NOT NULL DEFAULT 0,
    usual_ms double precision,
    ratio double precision,
    z double precision,
    extra_ms double precision NOT NULL DEFAULT 0,
    share double precision NOT NULL DEFAULT 0,
    cause text NOT NULL DEFAULT '',
    evidence jsonb NOT NULL DEFAULT '{}',
    first_bad_day date,
    nights integer NOT NULL DEFAULT 0,
    events jsonb NOT NULL DEFAULT '[]',
    is_alert boolean NOT NULL DEFAULT false
) PARTITION BY RANGE (at);
CREATE TABLE reporting.statement_finding_default PARTITION OF reporting.statement_finding DEFAULT;
CREATE INDEX statement_finding_at ON reporting.statement_finding
    USING brin (at, run_id) WITH (pages_per_range = 16, autosummarize = on);

CREATE TABLE reporting.statement_judgement (
    run_id text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    database text NOT NULL,
    replica text NOT NULL DEFAULT '',
    day date NOT NULL,
    judged integer NOT NULL,
    nights integer NOT NULL,
    night_shift double precision NOT NULL,
    remark text NOT NULL DEFAULT ''
) PARTITION BY RANGE (at);
CREATE TABLE reporting.statement_judgement_default PARTITION OF reporting.statement_judgement DEFAULT;
CREATE INDEX statement_judgement_at ON reporting.statement_judgement
    USING brin (at, run_id) WITH (pages_per_range = 16, autosummarize = on);

CREATE TABLE reporting.statement_plan (
    run_id text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    database text NOT NULL,
    replica text NOT NULL DEFAULT '',
    day date NOT NULL,
    fingerprint text NOT NULL,
    plan jsonb,
    shape text NOT NULL DEFAULT '',
    cost double precision,
    remark text NOT NULL DEFAULT ''
) PARTITION BY RANGE (at);
CREATE TABLE reporting.statement_plan_default PARTITION OF reporting.statement_plan DEFAULT;
CREATE INDEX statement_plan_at ON reporting.statement_plan
    USING brin (at, run_id) WITH (pages_per_range = 16, autosummarize = on);

-- One row for each statement and role between two days, both included: the queryids of an upgrade or a restore come
-- together again by their fingerprint.
CREATE FUNCTION reporting.top_statements(wanted_database text, wanted_replica text, first_day date, last_day date)
RETURNS TABLE (
    fingerprint text, role text, query text, calls bigint, exec_ms double precision, mean_ms double precision,
    deviation_ms double precision, share double precision, rows bigint, plan_ms double precision, plans bigint,
    shared_blks_hit bigint, shared_blks_read bigint, shared_blks_dirtied bigint, read_ms double precision,
    write_ms double precision, temp_blks bigint, wal_bytes bigint, wal_fpi bigint, jit_ms double precision,
    nights_seen bigint, nights bigint
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    target smallint;
    every_night bigint;
BEGIN
    SELECT known.target_id INTO target FROM reporting.statement_target AS known
        WHERE known.database = wanted_database AND known.replica = wanted_replica;
    SELECT count(*) INTO every_night FROM reporting.statement_snapshot AS taken
        WHERE taken.target_id = target AND taken.day BETWEEN first_day AND last_day AND taken.since IS NOT NULL;
    RETURN QUERY
        WITH spent AS (
            SELECT night.series_id, sum(night.calls) AS calls, sum(night.exec_ms) AS exec_ms, sum(night.exec_ssq) AS exec_ssq,
                sum(night.rows) AS rows, sum(night.plan_ms) AS plan_ms, sum(night.plans) AS plans,
                sum(night.shared_blks_hit) AS hit, sum(night.shared_blks_read) AS read,
                sum(night.shared_blks_dirtied) AS dirtied, sum(night.shared_read_ms) AS read_ms,
                sum(night.shared_write_ms) AS write_ms, sum(night.temp_blks_read) AS temp_read,
                sum(night.temp_blks_written) AS temp_written, sum(night.wal_bytes) AS wal_bytes,
                sum(night.wal_fpi) AS wal_fpi, sum(night.jit_ms) AS jit_ms, count(*) AS nights_seen
            FROM reporting.statement_day AS night
            WHERE night.target_id = target AND night.day BETWEEN first_day AND last_day
            GROUP BY night.series_id
        ), gathered AS (
            SELECT series.fingerprint, series.role, max(series.statement_id) AS statement_id, sum(spent.calls) AS calls,
                sum(spent.exec_ms) AS exec_ms, sum(spent.exec_ssq) AS exec_ssq, sum(spent.rows) AS rows,
                sum(spent.plan_ms) AS plan_ms, sum(spent.plans) AS plans, sum(spent.hit) AS hit, sum(spent.read) AS read,
                sum(spent.dirtied) AS dirtied, sum(spent.read_ms) AS read_ms, sum(spent.write_ms) AS write_ms,
                coalesce(sum(spent.temp_read), 0) + coalesce(sum(spent.temp_written), 0) AS temp,
                sum(spent.wal_bytes) AS wal_bytes, sum(spent.wal_fpi) AS wal_fpi, sum(spent.jit_ms) AS jit_ms,
                max(spent.nights_seen) AS nights_seen
            FROM spent JOIN reporting.statement_series AS series ON series.series_id = spent.series_id
            GROUP BY series.fingerprint, series.role
        )
        SELECT g.fingerprint, g.role, coalesce(text.query, ''), coalesce(g.calls, 0)::bigint, coalesce(g.exec_ms, 0),
            coalesce(g.exec_ms / nullif(g.calls, 0), 0)::double precision,
            sqrt(greatest(coalesce(g.exec_ssq / nullif(g.calls, 0) - (g.exec_ms / nullif(g.calls, 0)) ^ 2, 0), 0))::double precision,
            coalesce(g.exec_ms / nullif(sum(g.exec_ms) OVER (), 0), 0)::double precision, coalesce(g.rows, 0)::bigint,
            coalesce(g.plan_ms, 0), coalesce(g.plans, 0)::bigint, coalesce(g.hit, 0)::bigint, coalesce(g.read, 0)::bigint,
            coalesce(g.dirtied, 0)::bigint, coalesce(g.read_ms, 0), coalesce(g.write_ms, 0), g.temp::bigint,
            coalesce(g.wal_bytes, 0)::bigint, coalesce(g.wal_fpi, 0)::bigint, coalesce(g.jit_ms, 0), g.nights_seen, every_night
        FROM gathered AS g LEFT JOIN reporting.statement AS text ON text.statement_id = g.statement_id;
END
$$;

CREATE FUNCTION reporting.compare_statements(
    wanted_database text, wanted_replica text, first_day date, last_day date, earlier_first date, earlier_last date
) RETURNS TABLE (
    fingerprint text, role text, query text, calls bigint, earlier_calls bigint, mean_ms double precision,
    earlier_mean_ms double precision, exec_ms double precision, earlier_exec_ms double precision,
    change_ms double precision, by_calls_ms double precision, by_mean_ms double precision,
    blocks_per_call double precision, earlier_blocks_per_call double precision, nights bigint, earlier_nights bigint
)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(a.fingerprint, b.fingerprint), coalesce(a.role, b.role), coalesce(a.query, b.query),
        coalesce(a.calls, 0), coalesce(b.calls, 0), coalesce(a.mean_ms, 0), coalesce(b.mean_ms, 0),
        coalesce(a.exec_ms, 0), coalesce(b.exec_ms, 0), coalesce(a.exec_ms, 0) - coalesce(b.exec_ms, 0),
        -- What more calls cost at the old price, and what the new price costs for all calls: together they are the change.
        CASE WHEN a.calls > 0 AND b.calls > 0 THEN (a.calls - b.calls) * b.mean_ms
            ELSE coalesce(a.exec_ms, 0) - coalesce(b.exec_ms, 0) END,
        CASE WHEN a.calls > 0 AND b.calls > 0 THEN a.calls * (a.mean_ms - b.mean_ms) ELSE 0 END,
        coalesce((a.shared_blks_hit + a.shared_blks_read) / nullif(a.calls, 0)::double precision, 0),
        coalesce((b.shared_blks_hit + b.shared_blks_read) / nullif(b.calls, 0)::double precision, 0),
        coalesce(a.nights_seen, 0), coalesce(b.nights_seen, 0)
    FROM reporting.top_statements(wanted_database, wanted_replica, first_day, last_day) AS a
    FULL JOIN reporting.top_statements(wanted_database, wanted_replica, earlier_first, earlier_last) AS b
        ON b.fingerprint = a.fingerprint AND b.role = a.role
$$;

CREATE VIEW reporting.statement_nights AS
SELECT target.database, target.replica, night.day, night.run_id, night.taken_at, night.since, night.taken_at - night.since AS span,
    night.baseline_reason, night.readings, night.missed_nights, night.resets, night.deallocated, night.capacity,
    night.entries_on_server, night.entries, night.entries_new, night.entries_reset, night.entries_gone,
    night.entries_counted, night.texts_missing, night.calls, night.rows, night.exec_ms, night.plan_ms, night.io_ms,
    night.blocks_read, night.temp_blocks, night.wal_bytes, night.active_ms, night.server_version, night.extension_version,
    night.is_standby, night.has_stats_since AS is_exact, night.bytes_copied, night.took
FROM reporting.statement_snapshot AS night
JOIN reporting.statement_target AS target ON target.target_id = night.target_id;

CREATE VIEW reporting.statement_days AS
SELECT night.day, target.database, target.replica, series.fingerprint, series.role, series.is_toplevel, text.query,
    night.calls, night.rows, night.exec_ms, night.exec_ssq, night.plans, night.plan_ms, night.shared_blks_hit, night.shared_blks_read,
    night.shared_blks_dirtied, night.shared_read_ms, night.shared_write_ms, night.temp_blks_read, night.temp_blks_written,
    night.wal_records, night.wal_fpi, night.wal_bytes, night.jit_ms, night.parallel_to_launch, night.parallel_launched,
    night.generic_plans, night.custom_plans, night.flags & 1 = 1 AS is_new, night.flags & 2 = 2 AS was_reset
FROM reporting.statement_day AS night
JOIN reporting.statement_target AS target ON target.target_id = night.target_id
JOIN reporting.statement_series AS series ON series.series_id = night.series_id
LEFT JOIN reporting.statement AS text ON text.statement_id = series.statement_id;

CREATE VIEW reporting.statement_months AS
SELECT night.month, target.database, target.replica, series.fingerprint, series.role, text.query,
    night.calls, night.rows, night.exec_ms, night.exec_ssq, night.plan_ms, night.shared_blks_hit, night.shared_blks_read,
    night.shared_read_ms, night.temp_blks_written, night.wal_bytes, night.jit_ms
FROM reporting.statement_month AS night
JOIN reporting.statement_target AS target ON target.target_id = night.target_id
JOIN reporting.statement_series AS series ON series.series_id = night.series_id
LEFT JOIN reporting.statement AS text ON text.statement_id = series.statement_id;

CREATE VIEW reporting.top AS
SELECT target.database, target.replica, last.day, spent.fingerprint, spent.role, spent.query, spent.calls, spent.exec_ms,
    spent.mean_ms, spent.deviation_ms, spent.share, spent.rows, spent.plan_ms, spent.shared_blks_hit, spent.shared_blks_read,
    spent.read_ms, spent.write_ms, spent.temp_blks, spent.wal_bytes, spent.jit_ms, spent.nights_seen, spent.nights
FROM reporting.statement_target AS target
CROSS JOIN LATERAL (
    SELECT max(night.day) AS day FROM reporting.statement_snapshot AS night WHERE night.target_id = target.target_id
) AS last
CROSS JOIN LATERAL reporting.top_statements(target.database, target.replica, last.day - 6, last.day) AS spent;

CREATE VIEW reporting.compare AS
SELECT target.database, target.replica, last.day, both_weeks.fingerprint, both_weeks.role, both_weeks.query, both_weeks.calls,
    both_weeks.earlier_calls, both_weeks.mean_ms, both_weeks.earlier_mean_ms, both_weeks.exec_ms, both_weeks.earlier_exec_ms,
    both_weeks.change_ms, both_weeks.by_calls_ms, both_weeks.by_mean_ms, both_weeks.blocks_per_call,
    both_weeks.earlier_blocks_per_call, both_weeks.nights, both_weeks.earlier_nights
FROM reporting.statement_target AS target
CROSS JOIN LATERAL (
    SELECT max(night.day) AS day FROM reporting.statement_snapshot AS night WHERE night.target_id = target.target_id
) AS last
CROSS JOIN LATERAL reporting.compare_statements(
    target.database, target.replica, last.day - 6, last.day, last.day - 13, last.day - 7) AS both_weeks;

CREATE VIEW reporting.statement_plans AS
SELECT DISTINCT ON (database, replica, fingerprint) database, replica, fingerprint, day, at, plan, shape, cost, remark, run_id
FROM reporting.statement_plan
ORDER BY database, replica, fingerprint, at DESC;

CREATE VIEW reporting.slow_statements AS
SELECT spent.database, spent.replica, spent.day, spent.fingerprint, spent.role, spent.query, spent.calls, spent.mean_ms,
    spent.deviation_ms, spent.exec_ms, spent.share, spent.rows, spent.nights_seen, spent.nights, target.slow_ms AS slow_from_ms,
    plan.plan, plan.cost AS plan_cost, plan.day AS plan_day, plan.remark AS plan_remark
FROM reporting.top AS spent
JOIN reporting.statement_target AS target ON target.database = spent.database AND target.replica = spent.replica
LEFT JOIN reporting.statement_plans AS plan ON plan.database = spent.database AND plan.replica = spent.replica
    AND plan.fingerprint = spent.fingerprint
WHERE spent.mean_ms >= target.slow_ms;

CREATE VIEW reporting.statement_verdicts AS
SELECT DISTINCT ON (database, replica, day) database, replica, day, run_id, at, judged, nights, night_shift, remark
FROM reporting.statement_judgement
ORDER BY database, replica, day, at DESC;

-- A night that was judged again counts by its newest judgement.
CREATE VIEW reporting.regressions AS
SELECT finding.database, finding.replica, finding.day, finding.kind, finding.fingerprint, finding.role, text.query,
    finding.calls, finding.mean_ms, finding.usual_ms, finding.ratio, finding.z, finding.extra_ms, finding.share,
    finding.cause, finding.evidence, finding.first_bad_day, finding.nights, finding.events, finding.is_alert,
    verdict.night_shift, finding.run_id
FROM reporting.statement_finding AS finding
JOIN reporting.statement_verdicts AS verdict ON verdict.run_id = finding.run_id AND verdict.database = finding.database
    AND verdict.replica = finding.replica AND verdict.day = finding.day
LEFT JOIN LATERAL (
    SELECT known.query FROM reporting.statement AS known WHERE known.fingerprint = finding.fingerprint
    ORDER BY known.last_seen DESC, known.statement_id DESC LIMIT 1
) AS text ON true;

-- What we did to a database and what changed around it, for the time line of every chart.
CREATE VIEW reporting.events AS
SELECT run.started_at AS at, run.database, run.pipeline AS kind, run.outcome AS detail, run.run_id
FROM reporting.run AS run
WHERE run.pipeline NOT IN ('statements', 'health', 'report', 'reminders', 'audit') AND run.outcome IN ('succeeded', 'failed')
UNION ALL
SELECT night.taken_at, target.database, changed.kind, changed.detail, night.run_id
FROM (
    SELECT taken.*, lag(taken.server_version) OVER earlier AS old_version,
        lag(taken.extension_version) OVER earlier AS old_extension, lag(taken.postmaster_started_at) OVER earlier AS old_start
    FROM reporting.statement_snapshot AS taken
    WINDOW earlier AS (PARTITION BY taken.target_id ORDER BY taken.day)
) AS night
JOIN reporting.statement_target AS target ON target.target_id = night.target_id AND target.replica = ''
CROSS JOIN LATERAL (VALUES
    ('version', night.old_version <> night.server_version,
        'PostgreSQL ' || night.old_version / 10000 || '.' || night.old_version % 10000 || ' became '
        || night.server_version / 10000 || '.' || night.server_version % 10000),
    ('extension', night.old_extension <> night.extension_version,
        'pg_stat_statements ' || night.old_extension || ' became ' || night.extension_version),
    ('restart', night.old_start <> night.postmaster_started_at, 'the server was restarted'),
    ('counters', night.resets > 0, 'all counters were reset'),
    ('baseline', night.baseline_reason NOT IN ('', 'first reading'), night.baseline_reason)
) AS changed (kind, happened, detail)
WHERE changed.happened;

COMMENT ON TABLE reporting.statement_finding IS 'What was concluded about one statement in one night.';
COMMENT ON TABLE reporting.statement_judgement IS 'One row for each time a night was judged.';
COMMENT ON TABLE reporting.statement_plan IS 'Generic plans of slow statements.';
COMMENT ON VIEW reporting.statement_nights IS 'One row for each night: what all statements cost, and how good the reading was. Show it beside every figure.';
COMMENT ON VIEW reporting.statement_days IS 'What each statement cost in each night. Counters are null where nothing was counted.';
COMMENT ON VIEW reporting.statement_months IS 'What each statement cost in each month that is over. Kept for ever.';
COMMENT ON VIEW reporting.top IS 'What each statement cost in the last seven nights. For another span: top_statements.';
COMMENT ON VIEW reporting.compare IS 'The last seven nights beside the seven before. For other spans: compare_statements.';
COMMENT ON VIEW reporting.statement_plans IS 'The newest generic plan of each slow statement.';
COMMENT ON VIEW reporting.slow_statements IS 'Statements whose mean time over seven nights is above the limit of the fleet file, with their plan.';
COMMENT ON VIEW reporting.statement_verdicts IS 'One row for each night that was judged: how many statements, and how slow the whole night was.';
COMMENT ON VIEW reporting.regressions IS 'What got worse, better, appeared or disappeared in each night, why, and what happened around it.';
COMMENT ON VIEW reporting.events IS 'What was done to a database and what changed around it.';
COMMENT ON FUNCTION reporting.top_statements(text, text, date, date) IS 'What each statement of a database, or of a replica of it, cost between two nights, both included.';
COMMENT ON FUNCTION reporting.compare_statements(text, text, date, date, date, date) IS 'What each statement cost in one span of nights beside another one, and how much of the change comes from more calls and how much from a dearer call.';

-- One word for one idea: a column means the same in every view.
DO $$
DECLARE
    word record;
BEGIN
    FOR word IN
        SELECT view.relname, field.attname, meaning.text
        FROM (VALUES
            ('database', 'Database, by its name in the fleet file.'),
            ('replica', 'Name of the replica that was read; empty for the database itself.'),
            ('day', 'The night, named after the day that it ends.'),
            ('month', 'First day of the month.'),
            ('fingerprint', 'Identity of a statement, which survives upgrades, restores and replicas.'),
            ('role', 'Role that ran it.'),
            ('query', 'The statement without its literals; empty or null when its text could not be read.'),
            ('is_toplevel', 'Whether a client sent it, and no function.'),
            ('calls', 'How often it ran.'),
            ('rows', 'Rows it gave or changed.'),
            ('exec_ms', 'Time of execution in all, in milliseconds.'),
            ('exec_ssq', 'Sum of the squares of the times of all calls, which makes variances of any span exact.'),
            ('mean_ms', 'Mean time of a call, in milliseconds.'),
            ('deviation_ms', 'Standard deviation of the time of a call, in milliseconds.'),
            ('share', 'Its part in the time of all statements, from 0 to 1.'),
            ('plans', 'How often it was planned, where the server counts that.'),
            ('plan_ms', 'Time of planning, in milliseconds, where the server counts that.'),
            ('shared_blks_hit', 'Blocks found in the server''s cache.'),
            ('shared_blks_read', 'Blocks asked of the operating system.'),
            ('shared_blks_dirtied', 'Blocks changed for the first time since they were written.'),
            ('shared_read_ms', 'Time spent reading blocks, in milliseconds, where track_io_timing is on.'),
            ('shared_write_ms', 'Time spent writing blocks, in milliseconds, where track_io_timing is on.'),
            ('read_ms', 'Time spent reading blocks, in milliseconds, where track_io_timing is on.'),
            ('write_ms', 'Time spent writing blocks, in milliseconds, where track_io_timing is on.'),
            ('temp_blks', 'Blocks of temporary files read and written.'),
            ('temp_blks_read', 'Blocks of temporary files read.'),
            ('temp_blks_written', 'Blocks of temporary files written.'),
            ('wal_records', 'Records written to the WAL.'),
            ('wal_fpi', 'Whole pages written to the WAL.'),
            ('wal_bytes', 'Bytes written to the WAL.'),
            ('jit_ms', 'Time spent compiling, in milliseconds.'),
            ('parallel_to_launch', 'Parallel workers that were planned, from version 18 on.'),
            ('parallel_launched', 'Parallel workers that really started, from version 18 on.'),
            ('generic_plans', 'Calls with a generic plan, from version 19 on.'),
            ('custom_plans', 'Calls with a plan of their own, from version 19 on.'),
            ('is_new', 'Whether the server had not counted it in the night before.'),
            ('was_reset', 'Whether its counters began anew, so that the night may show less than there was.'),
            ('nights_seen', 'Nights in which it ran.'),
            ('nights', 'Nights there are in this span.'),
            ('run_id', 'Run that left this evidence.'),
            ('at', 'When it was written down or happened.'),
            ('taken_at', 'When the counters were read, by the clock of the server.'),
            ('since', 'When they were read before; null when there was nothing to compare with.'),
            ('span', 'The time this night covers.'),
            ('baseline_reason', 'Why nothing could be counted from the reading before; empty when it could.'),
            ('readings', 'How often the night was read: whoever asks again adds what came since.'),
            ('missed_nights', 'Nights before this one without a reading; their work is in this one.'),
            ('resets', 'How often all counters were reset meanwhile.'),
            ('deallocated', 'How often the server threw out its least used entries meanwhile, each time with counts that are lost.'),
            ('capacity', 'Entries the server can hold: pg_stat_statements.max.'),
            ('entries_on_server', 'Entries the server held, of all databases.'),
            ('entries', 'Entries of this database.'),
            ('entries_new', 'Entries that were not there the night before.'),
            ('entries_reset', 'Entries whose counters began anew.'),
            ('entries_gone', 'Entries that were evicted or reset and did not come back.'),
            ('entries_counted', 'Entries that ran in this night.'),
            ('texts_missing', 'Entries whose text could not be read.'),
            ('io_ms', 'Time spent reading and writing blocks, in milliseconds, where track_io_timing is on.'),
            ('blocks_read', 'Blocks asked of the operating system.'),
            ('temp_blocks', 'Blocks of temporary files read and written.'),
            ('active_ms', 'Time that sessions were busy, in milliseconds, which is more than the time of statements; null when unknown.'),
            ('server_version', 'Version of the server, such as 150018.'),
            ('extension_version', 'Version of pg_stat_statements.'),
            ('is_standby', 'Whether the server was a standby.'),
            ('is_exact', 'Whether the server says since when each entry counts (17 and newer), so that no reset goes unnoticed.'),
            ('bytes_copied', 'Bytes of counters that came over the network.'),
            ('took', 'How long the reading took.'),
            ('earlier_calls', 'How often it ran in the span before.'),
            ('earlier_mean_ms', 'Mean time of a call in the span before, in milliseconds.'),
            ('earlier_exec_ms', 'Time of execution in the span before, in milliseconds.'),
            ('change_ms', 'How much more time it took than in the span before, in milliseconds.'),
            ('by_calls_ms', 'The part of the change that comes from more calls at the earlier price.'),
            ('by_mean_ms', 'The part of the change that comes from another price of a call.'),
            ('blocks_per_call', 'Blocks touched by a call.'),
            ('earlier_blocks_per_call', 'Blocks touched by a call in the span before.'),
            ('earlier_nights', 'Nights in which it ran in the span before.'),
            ('plan', 'Generic plan, without costs of single runs and without literals; null when it could not be asked.'),
            ('shape', 'Digest of the plan''s shape: another one is another plan.'),
            ('cost', 'Cost of the plan as the planner estimates it.'),
            ('remark', 'What a reader should know, such as why there is no plan or no judgement.'),
            ('slow_from_ms', 'Mean time from which the fleet file calls a statement slow.'),
            ('plan_cost', 'Cost of the plan as the planner estimates it.'),
            ('plan_day', 'Night in which the plan was asked.'),
            ('plan_remark', 'Why there is no plan; empty when there is one.'),
            ('judged', 'Statements that had enough calls and nights to be judged.'),
            ('night_shift', 'How much slower the whole server was than usual: 1.4 means forty percent; it is taken out of every ratio.'),
            ('kind', 'What it is: a finding of regressions, or an event.'),
            ('usual_ms', 'Median of the mean times of the nights before, in milliseconds.'),
            ('ratio', 'How many times slower than usual, the shift of the whole night taken out.'),
            ('z', 'How many deviations from usual.'),
            ('extra_ms', 'Time that the change cost in this night, in milliseconds.'),
            ('cause', 'The most likely cause, from the evidence.'),
            ('evidence', 'The figures the cause was concluded from, each with its usual value.'),
            ('first_bad_day', 'First night of the present slowness.'),
            ('events', 'What happened within a day of the first bad night, newest first.'),
            ('is_alert', 'Whether it is large enough to tell people.'),
            ('detail', 'How it ended, or what changed.')
        ) AS meaning (name, text)
        JOIN pg_attribute AS field ON field.attname = meaning.name AND field.attnum > 0
        JOIN pg_class AS view ON view.oid = field.attrelid AND view.relnamespace = 'reporting'::regnamespace
        WHERE view.relname IN ('statement_nights', 'statement_days', 'statement_months', 'top', 'compare', 'statement_plans', 'slow_statements', 'statement_verdicts', 'regressions', 'events')
    LOOP
        EXECUTE format('COMMENT ON COLUMN reporting.%I.%I IS %L', word.relname, word.attname, word.text);
    END LOOP;
END
$$;

REVOKE ALL ON FUNCTION reporting.top_statements, reporting.compare_statements FROM PUBLIC;
GRANT EXECUTE ON FUNCTION reporting.top_statements, reporting.compare_statements TO pgtend_reader, pgtend_writer;
GRANT SELECT ON reporting.statement_nights, reporting.statement_days, reporting.statement_months, reporting.top, reporting.compare, reporting.statement_plans, reporting.slow_statements, reporting.statement_verdicts, reporting.regressions, reporting.events
    TO pgtend_reader, pgtend_writer;
GRANT INSERT ON reporting.statement_finding, reporting.statement_judgement, reporting.statement_plan TO pgtend_writer;
