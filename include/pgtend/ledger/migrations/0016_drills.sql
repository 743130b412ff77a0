-- What restore drills found: each drill, its stages, its checks, and the exact sizes of what it had just built.

CREATE TABLE reporting.drill (
    run_id text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    database text NOT NULL,
    backup_id text NOT NULL,
    vault text NOT NULL,
    rule text NOT NULL,
    verdict text NOT NULL CHECK (verdict IN ('PASS', 'PASS_PARTIAL', 'FAIL')),
    failure_class text NOT NULL,
    taken_at timestamptz NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    isolation_level integer NOT NULL,
    isolation_means text NOT NULL,
    server_version text NOT NULL,
    rto_target interval,
    rto_measured interval,
    rto_predicted interval,
    rto_crosses_at timestamptz,
    rpo_target interval,
    rpo_measured interval,
    source_size bigint NOT NULL,
    checks_due text NOT NULL,
    not_checked text NOT NULL,
    CHECK ((verdict = 'FAIL') = (failure_class <> ''))
) PARTITION BY RANGE (at);

CREATE TABLE reporting.drill_default PARTITION OF reporting.drill DEFAULT;
CREATE INDEX drill_newest ON reporting.drill (database, ended_at DESC);

CREATE TABLE reporting.drill_stage (
    run_id text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    database text NOT NULL,
    stage text NOT NULL,
    started_at timestamptz NOT NULL,
    took interval NOT NULL,
    bytes bigint,
    rows bigint
) PARTITION BY RANGE (at);

CREATE TABLE reporting.drill_stage_default PARTITION OF reporting.drill_stage DEFAULT;
CREATE INDEX drill_stage_at ON reporting.drill_stage USING brin (at, run_id) WITH (pages_per_range = 16, autosummarize = on);

CREATE TABLE reporting.drill_check (
    run_id text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    database text NOT NULL,
    check_name text NOT NULL,
    subject text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('passed', 'failed', 'skipped')),
    failure_class text NOT NULL,
    expected text NOT NULL,
    found text NOT NULL,
    detail text NOT NULL,
    CHECK ((outcome = 'failed') = (failure_class <> ''))
) PARTITION BY RANGE (at);

CREATE TABLE reporting.drill_check_default PARTITION OF reporting.drill_check DEFAULT;
CREATE INDEX drill_check_at ON reporting.drill_check USING brin (at, run_id) WITH (pages_per_range = 16, autosummarize = on);

CREATE TABLE reporting.index_exact_size (
    run_id text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    database text NOT NULL,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    index_name text NOT NULL,
    definition_sha256 text NOT NULL,
    bytes bigint NOT NULL,
    rows bigint NOT NULL
) PARTITION BY RANGE (at);

CREATE TABLE reporting.index_exact_size_default PARTITION OF reporting.index_exact_size DEFAULT;
CREATE INDEX index_exact_size_newest ON reporting.index_exact_size (database, schema_name, index_name, at DESC);

CREATE TABLE reporting.table_exact_size (
    run_id text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    database text NOT NULL,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    definition_sha256 text NOT NULL,
    bytes bigint NOT NULL,
    toast_bytes bigint NOT NULL,
    rows bigint NOT NULL
) PARTITION BY RANGE (at);

CREATE TABLE reporting.table_exact_size_default PARTITION OF reporting.table_exact_size DEFAULT;
CREATE INDEX table_exact_size_newest ON reporting.table_exact_size (database, schema_name, table_name, at DESC);

COMMENT ON TABLE reporting.drill IS 'Every restore drill, written when all of its parts are.';
COMMENT ON TABLE reporting.drill_stage IS 'Every step of every drill, with its time.';
COMMENT ON TABLE reporting.drill_check IS 'Every check of every drill: counts, digests and names, never the content of a row.';
COMMENT ON TABLE reporting.index_exact_size IS 'Sizes of indexes that a drill had just built, without a hole.';
COMMENT ON TABLE reporting.table_exact_size IS 'Sizes of tables that a drill had just filled, without a dead row.';

CREATE VIEW reporting.drills AS
SELECT run_id, at, database, backup_id, vault, rule, verdict, failure_class, taken_at, started_at, ended_at,
    isolation_level, isolation_means, server_version, rto_target, rto_measured, rto_predicted, rto_crosses_at, rpo_target,
    rpo_measured, source_size, checks_due, not_checked
FROM reporting.drill;

CREATE VIEW reporting.last_proven AS
SELECT DISTINCT ON (database, rule) database, rule, backup_id, verdict, taken_at, ended_at, now() - ended_at AS age, run_id
FROM reporting.drill
WHERE verdict <> 'FAIL'
ORDER BY database, rule, ended_at DESC;

CREATE VIEW reporting.drill_stages AS
SELECT run_id, at, database, stage, started_at, took, bytes, rows,
    bytes / NULLIF(extract(epoch FROM took), 0)::double precision AS bytes_per_second
FROM reporting.drill_stage;

CREATE VIEW reporting.drill_checks AS
SELECT run_id, at, database, check_name, subject, outcome, failure_class, expected, found, detail
FROM reporting.drill_check;

CREATE VIEW reporting.index_exact_sizes AS
SELECT DISTINCT ON (database, schema_name, index_name) database, schema_name, table_name, index_name, definition_sha256,
    bytes, rows, at, run_id
FROM reporting.index_exact_size
ORDER BY database, schema_name, index_name, at DESC;

CREATE VIEW reporting.table_exact_sizes AS
SELECT DISTINCT ON (database, schema_name, table_name) database, schema_name, table_name, definition_sha256, bytes,
    toast_bytes, rows, at, run_id
FROM reporting.table_exact_size
ORDER BY database, schema_name, table_name, at DESC;

COMMENT ON VIEW reporting.drills IS 'Every restore drill that is still kept: which backup, by which rule, what it proved, how long a recovery takes.';
COMMENT ON COLUMN reporting.drills.run_id IS 'Run of the drill.';
COMMENT ON COLUMN reporting.drills.at IS 'When it was written down.';
COMMENT ON COLUMN reporting.drills.database IS 'Database, by its name in the fleet file.';
COMMENT ON COLUMN reporting.drills.backup_id IS 'Backup that was restored.';
COMMENT ON COLUMN reporting.drills.vault IS 'Vault it was read from, by its name in the fleet file.';
COMMENT ON COLUMN reporting.drills.rule IS 'How it was chosen: newest, random, oldest, second_vault, escrow_key or chosen.';
COMMENT ON COLUMN reporting.drills.verdict IS 'PASS, PASS_PARTIAL (something could not be checked) or FAIL.';
COMMENT ON COLUMN reporting.drills.failure_class IS 'Class of the failure that explains the others, such as BACKUP_CORRUPT; empty when none failed.';
COMMENT ON COLUMN reporting.drills.taken_at IS 'Moment the backup shows.';
COMMENT ON COLUMN reporting.drills.started_at IS 'When the drill began.';
COMMENT ON COLUMN reporting.drills.ended_at IS 'When its outcome was known.';
COMMENT ON COLUMN reporting.drills.isolation_level IS '3: files, network, processes and users of its own; 2: a container without a network; 1: another account; 0: it did not come to that.';
COMMENT ON COLUMN reporting.drills.isolation_means IS 'What shut the copy in.';
COMMENT ON COLUMN reporting.drills.server_version IS 'Version of the server it was restored to.';
COMMENT ON COLUMN reporting.drills.rto_target IS 'How long a recovery may take.';
COMMENT ON COLUMN reporting.drills.rto_measured IS 'How long it took.';
COMMENT ON COLUMN reporting.drills.rto_predicted IS 'How long it would take at the size of the newest backup.';
COMMENT ON COLUMN reporting.drills.rto_crosses_at IS 'When it will take longer than it may if the database goes on growing; null when it does not.';
COMMENT ON COLUMN reporting.drills.rpo_target IS 'How old the newest backup may be.';
COMMENT ON COLUMN reporting.drills.rpo_measured IS 'How old it was.';
COMMENT ON COLUMN reporting.drills.source_size IS 'Size of the database when the backup was taken.';
COMMENT ON COLUMN reporting.drills.checks_due IS 'Names of the checks that were due.';
COMMENT ON COLUMN reporting.drills.not_checked IS 'What nobody looked at, in sentences.';

COMMENT ON VIEW reporting.last_proven IS 'The newest drill of each rule that did not fail: what is old here is a debt.';
COMMENT ON COLUMN reporting.last_proven.database IS 'Database, by its name in the fleet file.';
COMMENT ON COLUMN reporting.last_proven.rule IS 'How the backup was chosen.';
COMMENT ON COLUMN reporting.last_proven.backup_id IS 'Backup that was restored.';
COMMENT ON COLUMN reporting.last_proven.verdict IS 'PASS or PASS_PARTIAL.';
COMMENT ON COLUMN reporting.last_proven.taken_at IS 'Moment the backup shows.';
COMMENT ON COLUMN reporting.last_proven.ended_at IS 'When the drill ended.';
COMMENT ON COLUMN reporting.last_proven.age IS 'How long ago that was.';
COMMENT ON COLUMN reporting.last_proven.run_id IS 'Run of the drill.';

COMMENT ON VIEW reporting.drill_stages IS 'Every step of every drill: how long it took, and how much went through it.';
COMMENT ON COLUMN reporting.drill_stages.run_id IS 'Run of the drill.';
COMMENT ON COLUMN reporting.drill_stages.at IS 'When it was written down.';
COMMENT ON COLUMN reporting.drill_stages.database IS 'Database, by its name in the fleet file.';
COMMENT ON COLUMN reporting.drill_stages.stage IS 'Step, such as data or verify data.';
COMMENT ON COLUMN reporting.drill_stages.started_at IS 'When it began.';
COMMENT ON COLUMN reporting.drill_stages.took IS 'How long it took.';
COMMENT ON COLUMN reporting.drill_stages.bytes IS 'Bytes that went through it, unpacked; null where that means nothing.';
COMMENT ON COLUMN reporting.drill_stages.rows IS 'Rows that went through it; null where that means nothing.';
COMMENT ON COLUMN reporting.drill_stages.bytes_per_second IS 'Bytes by time.';

COMMENT ON VIEW reporting.drill_checks IS 'Every check of every drill: counts, digests and names, never the content of a row.';
COMMENT ON COLUMN reporting.drill_checks.run_id IS 'Run of the drill.';
COMMENT ON COLUMN reporting.drill_checks.at IS 'When it was written down.';
COMMENT ON COLUMN reporting.drill_checks.database IS 'Database, by its name in the fleet file.';
COMMENT ON COLUMN reporting.drill_checks.check_name IS 'What was looked at, such as rows or isolation.';
COMMENT ON COLUMN reporting.drill_checks.subject IS 'Name of the smoke query; empty for other checks.';
COMMENT ON COLUMN reporting.drill_checks.outcome IS 'passed, failed or skipped.';
COMMENT ON COLUMN reporting.drill_checks.failure_class IS 'Class of a check that failed; empty for any other.';
COMMENT ON COLUMN reporting.drill_checks.expected IS 'What was expected.';
COMMENT ON COLUMN reporting.drill_checks.found IS 'What was found.';
COMMENT ON COLUMN reporting.drill_checks.detail IS 'Which objects differ and how, or why it was skipped.';

COMMENT ON VIEW reporting.index_exact_sizes IS 'The newest known size of each index right after it was built: what a rebuild would come to.';
COMMENT ON COLUMN reporting.index_exact_sizes.database IS 'Database, by its name in the fleet file.';
COMMENT ON COLUMN reporting.index_exact_sizes.schema_name IS 'Schema of the index and its table.';
COMMENT ON COLUMN reporting.index_exact_sizes.table_name IS 'Table of the index.';
COMMENT ON COLUMN reporting.index_exact_sizes.index_name IS 'Name of the index.';
COMMENT ON COLUMN reporting.index_exact_sizes.definition_sha256 IS 'SHA-256 of pg_get_indexdef: the size means something for the same definition only.';
COMMENT ON COLUMN reporting.index_exact_sizes.bytes IS 'Bytes on disk.';
COMMENT ON COLUMN reporting.index_exact_sizes.rows IS 'Entries of the index.';
COMMENT ON COLUMN reporting.index_exact_sizes.at IS 'When it was measured.';
COMMENT ON COLUMN reporting.index_exact_sizes.run_id IS 'Run of the drill.';

COMMENT ON VIEW reporting.table_exact_sizes IS 'The newest known size of each table right after it was filled: what it would take without a dead row.';
COMMENT ON COLUMN reporting.table_exact_sizes.database IS 'Database, by its name in the fleet file.';
COMMENT ON COLUMN reporting.table_exact_sizes.schema_name IS 'Schema of the table.';
COMMENT ON COLUMN reporting.table_exact_sizes.table_name IS 'Name of the table.';
COMMENT ON COLUMN reporting.table_exact_sizes.definition_sha256 IS 'SHA-256 of its columns and their types.';
COMMENT ON COLUMN reporting.table_exact_sizes.bytes IS 'Bytes on disk, without indexes and TOAST.';
COMMENT ON COLUMN reporting.table_exact_sizes.toast_bytes IS 'Bytes of its TOAST table and the index of that.';
COMMENT ON COLUMN reporting.table_exact_sizes.rows IS 'Rows.';
COMMENT ON COLUMN reporting.table_exact_sizes.at IS 'When it was measured.';
COMMENT ON COLUMN reporting.table_exact_sizes.run_id IS 'Run of the drill.';

GRANT SELECT ON reporting.drills, reporting.last_proven, reporting.drill_stages, reporting.drill_checks,
    reporting.index_exact_sizes, reporting.table_exact_sizes TO pgtend_reader, pgtend_writer;
GRANT INSERT ON reporting.drill, reporting.drill_stage, reporting.drill_check, reporting.index_exact_size,
    reporting.table_exact_size TO pgtend_writer;
