-- What others may rely upon: views for people and dashboards, functions for jobs, and two roles that reach nothing else.

CREATE VIEW reporting.runs AS
SELECT run_id, database, pipeline, actor, run_url, started_at, ended_at, ended_at - started_at AS took, outcome,
    error_code, error_message, hint, evidence_rows
FROM reporting.run;

CREATE VIEW reporting.last_runs AS
SELECT DISTINCT ON (database, pipeline) run_id, database, pipeline, actor, run_url, started_at, ended_at,
    ended_at - started_at AS took, outcome, error_code, error_message, hint, evidence_rows
FROM reporting.run
ORDER BY database, pipeline, started_at DESC;

CREATE VIEW reporting.analyses AS
SELECT run_id, at, database, schema_name, table_name, decision, reason, outcome, took, rows_before, rows_after,
    changed_rows, analyze_count_before, analyze_count_after, proved_at, error_code
FROM reporting.table_analysis;

CREATE VIEW reporting.open_alerts AS
SELECT key, database, pipeline, severity, code, message, hint, run_url, opened_at, last_failed_at, times_failed,
    last_sent_at, times_sent
FROM reporting.alert
WHERE recovered_at IS NULL;

CREATE VIEW reporting.audit AS
SELECT seq, at, login, actor, action, target, detail, prev, hash
FROM reporting.audit_entry;

CREATE VIEW reporting.audit_breaks AS
SELECT seq, what
FROM (
    SELECT seq,
        CASE
            WHEN seq <> lag(seq, 1, 0::bigint) OVER by_seq + 1 THEN 'its number does not follow the one before it'
            WHEN prev <> lag(hash, 1, decode(repeat('00', 32), 'hex')) OVER by_seq THEN 'it does not follow the entry before it'
            WHEN hash <> reporting.audit_hash(seq, at, login, actor, action, target, detail, prev)
                THEN 'it was changed after it was written'
        END AS what
    FROM reporting.audit_entry
    WINDOW by_seq AS (ORDER BY seq)
) AS judged
WHERE what IS NOT NULL;

CREATE VIEW reporting.migrations AS
SELECT number, name, sha256, applied_at, applied_by
FROM reporting.migration;

COMMENT ON VIEW reporting.runs IS 'Every run of every job that is still kept.';
COMMENT ON COLUMN reporting.runs.run_id IS 'Name of the run; names sort by time.';
COMMENT ON COLUMN reporting.runs.database IS 'Database the run tended, by its name in the fleet file.';
COMMENT ON COLUMN reporting.runs.pipeline IS 'What the run did: analyze, and so on.';
COMMENT ON COLUMN reporting.runs.actor IS 'Who or what started it.';
COMMENT ON COLUMN reporting.runs.run_url IS 'Link to the run in Airflow; empty when it ran from a shell.';
COMMENT ON COLUMN reporting.runs.started_at IS 'When the intent was written down, before anything was done.';
COMMENT ON COLUMN reporting.runs.ended_at IS 'When the outcome was written down; null while it runs.';
COMMENT ON COLUMN reporting.runs.took IS 'From start to end.';
COMMENT ON COLUMN reporting.runs.outcome IS 'running, succeeded, failed (it said why), interrupted (killed or a bug) or vanished (its process died without a word).';
COMMENT ON COLUMN reporting.runs.error_code IS 'Stable code of the error, such as postgres.locked_out; empty when there was none.';
COMMENT ON COLUMN reporting.runs.error_message IS 'First line of the error, redacted.';
COMMENT ON COLUMN reporting.runs.hint IS 'What a person may do about it.';
COMMENT ON COLUMN reporting.runs.evidence_rows IS 'How many rows of evidence the run left.';

COMMENT ON VIEW reporting.last_runs IS 'The newest run of each pipeline of each database; the columns are those of runs.';
DO $$
DECLARE
    same record;
BEGIN
    FOR same IN
        SELECT attname, col_description(attrelid, attnum) AS comment
        FROM pg_attribute WHERE attrelid = 'reporting.runs'::regclass AND attnum > 0
    LOOP
        EXECUTE format('COMMENT ON COLUMN reporting.last_runs.%I IS %L', same.attname, same.comment);
    END LOOP;
END
$$;

COMMENT ON VIEW reporting.analyses IS 'What the analyze pipeline decided for each table, why, and what came of it.';
COMMENT ON COLUMN reporting.analyses.run_id IS 'Run that left this evidence.';
COMMENT ON COLUMN reporting.analyses.at IS 'When the evidence was written.';
COMMENT ON COLUMN reporting.analyses.database IS 'Database, by its name in the fleet file.';
COMMENT ON COLUMN reporting.analyses.schema_name IS 'Schema of the table.';
COMMENT ON COLUMN reporting.analyses.table_name IS 'Name of the table.';
COMMENT ON COLUMN reporting.analyses.decision IS 'analyze or skip.';
COMMENT ON COLUMN reporting.analyses.reason IS 'Why it was decided so.';
COMMENT ON COLUMN reporting.analyses.outcome IS 'What came of it; proved only when the server''s own counters say that it happened.';
COMMENT ON COLUMN reporting.analyses.took IS 'How long ANALYZE took; null when it did not run.';
COMMENT ON COLUMN reporting.analyses.rows_before IS 'Rows of the table as the server estimated them before.';
COMMENT ON COLUMN reporting.analyses.rows_after IS 'The same estimate after.';
COMMENT ON COLUMN reporting.analyses.changed_rows IS 'Rows changed since the statistics were last gathered, before the run.';
COMMENT ON COLUMN reporting.analyses.analyze_count_before IS 'The server''s count of ANALYZE on the table before.';
COMMENT ON COLUMN reporting.analyses.analyze_count_after IS 'The same count after.';
COMMENT ON COLUMN reporting.analyses.proved_at IS 'The server''s own last_analyze after the run; null when nothing was proved.';
COMMENT ON COLUMN reporting.analyses.error_code IS 'Stable code of the error of this table; empty when there was none.';

COMMENT ON VIEW reporting.open_alerts IS 'What is broken now.';
COMMENT ON COLUMN reporting.open_alerts.key IS 'Name of the condition, such as pgtend/production/kgc/analyze; open once at most.';
COMMENT ON COLUMN reporting.open_alerts.database IS 'Database, by its name in the fleet file.';
COMMENT ON COLUMN reporting.open_alerts.pipeline IS 'Pipeline that failed.';
COMMENT ON COLUMN reporting.open_alerts.severity IS 'page or ticket.';
COMMENT ON COLUMN reporting.open_alerts.code IS 'Stable code of the newest error.';
COMMENT ON COLUMN reporting.open_alerts.message IS 'First line of the newest error, redacted.';
COMMENT ON COLUMN reporting.open_alerts.hint IS 'What a person may do about it.';
COMMENT ON COLUMN reporting.open_alerts.run_url IS 'Link to the newest run that failed.';
COMMENT ON COLUMN reporting.open_alerts.opened_at IS 'When it broke.';
COMMENT ON COLUMN reporting.open_alerts.last_failed_at IS 'When it failed last.';
COMMENT ON COLUMN reporting.open_alerts.times_failed IS 'How often it failed since it broke.';
COMMENT ON COLUMN reporting.open_alerts.last_sent_at IS 'When the newest message went out; null when it could not be sent.';
COMMENT ON COLUMN reporting.open_alerts.times_sent IS 'How many messages went out.';

COMMENT ON VIEW reporting.audit IS 'Every action, in the order in which it was written down.';
COMMENT ON COLUMN reporting.audit.seq IS 'Number of the entry: 1, 2, 3 and so on without a gap.';
COMMENT ON COLUMN reporting.audit.at IS 'When the ledger''s server wrote it.';
COMMENT ON COLUMN reporting.audit.login IS 'Role that was logged in, as the server knows it.';
COMMENT ON COLUMN reporting.audit.actor IS 'Who acted, as the job says.';
COMMENT ON COLUMN reporting.audit.action IS 'What was intended or came out, such as run.started or run.failed.';
COMMENT ON COLUMN reporting.audit.target IS 'What it was done to, such as kgc/analyze.';
COMMENT ON COLUMN reporting.audit.detail IS 'Facts: ids and codes, never the content of a row.';
COMMENT ON COLUMN reporting.audit.prev IS 'Hash of the entry before; 32 zero bytes for the first.';
COMMENT ON COLUMN reporting.audit.hash IS 'SHA-256 of prev and of all fields.';

COMMENT ON VIEW reporting.audit_breaks IS 'Where the chain of the audit does not hold; empty when it does. Entries cut off at the end show only against an anchor.';
COMMENT ON COLUMN reporting.audit_breaks.seq IS 'Entry at which it shows.';
COMMENT ON COLUMN reporting.audit_breaks.what IS 'What is wrong with it.';

COMMENT ON VIEW reporting.migrations IS 'The migrations of this schema that were applied.';
COMMENT ON COLUMN reporting.migrations.number IS 'Number of the migration.';
COMMENT ON COLUMN reporting.migrations.name IS 'Name of its file, without the ending.';
COMMENT ON COLUMN reporting.migrations.sha256 IS 'Digest of its file.';
COMMENT ON COLUMN reporting.migrations.applied_at IS 'When it was applied.';
COMMENT ON COLUMN reporting.migrations.applied_by IS 'Role that applied it.';

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA reporting FROM PUBLIC;
GRANT USAGE ON SCHEMA reporting TO pgtend_reader, pgtend_writer;
GRANT SELECT ON reporting.runs, reporting.last_runs, reporting.analyses, reporting.open_alerts, reporting.audit,
    reporting.audit_breaks, reporting.migrations TO pgtend_reader, pgtend_writer;
GRANT EXECUTE ON FUNCTION reporting.audit_field, reporting.audit_hash TO pgtend_reader, pgtend_writer;
GRANT EXECUTE ON FUNCTION reporting.append_audit, reporting.ensure_partitions, reporting.start_run, reporting.finish_run,
    reporting.claim_batch, reporting.alert_broke, reporting.alert_recovered, reporting.alert_claim_reminders,
    reporting.alert_not_sent, reporting.forget TO pgtend_writer;
GRANT INSERT ON reporting.table_analysis TO pgtend_writer;
