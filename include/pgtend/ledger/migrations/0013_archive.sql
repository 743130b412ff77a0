-- The evidence of the archive pipeline: what was planned, what became of each month, and what the move left behind for others to
-- make smaller. What must be in one transaction with the rows lies in the tended database; this is what people ask.

CREATE TABLE reporting.archive_plan (
    run_id text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    database text NOT NULL,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    mode text NOT NULL,
    cutoff date NOT NULL,
    months integer NOT NULL,
    planned_rows bigint NOT NULL,
    wal_bytes bigint NOT NULL,
    disk_bytes bigint NOT NULL,
    approved_by text NOT NULL DEFAULT '',
    refusals text NOT NULL DEFAULT ''
) PARTITION BY RANGE (at);

CREATE TABLE reporting.archive_plan_default PARTITION OF reporting.archive_plan DEFAULT;

CREATE TABLE reporting.archive_step (
    run_id text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    database text NOT NULL,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    month date,
    generation integer,
    step text NOT NULL,
    row_count bigint,
    bytes bigint,
    checksum text NOT NULL DEFAULT '',
    took interval,
    detail text NOT NULL DEFAULT ''
) PARTITION BY RANGE (at);

CREATE TABLE reporting.archive_step_default PARTITION OF reporting.archive_step DEFAULT;

CREATE TABLE reporting.archive_reclaim (
    run_id text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    database text NOT NULL,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    removed_rows bigint NOT NULL,
    heap_bytes bigint NOT NULL,
    index_bytes bigint NOT NULL
) PARTITION BY RANGE (at);

CREATE TABLE reporting.archive_reclaim_default PARTITION OF reporting.archive_reclaim DEFAULT;

CREATE INDEX archive_plan_at ON reporting.archive_plan USING brin (at, run_id) WITH (pages_per_range = 16, autosummarize = on);
CREATE INDEX archive_step_at ON reporting.archive_step USING brin (at, run_id) WITH (pages_per_range = 16, autosummarize = on);
CREATE INDEX archive_reclaim_at ON reporting.archive_reclaim USING brin (at, run_id) WITH (pages_per_range = 16, autosummarize = on);

CREATE VIEW reporting.archive_plans AS
SELECT run_id, at, database, schema_name, table_name, mode, cutoff, months, planned_rows, wal_bytes, disk_bytes, approved_by, refusals
FROM reporting.archive_plan;

CREATE VIEW reporting.archive_steps AS
SELECT run_id, at, database, schema_name, table_name, month, generation, step, row_count, bytes, checksum, took, detail
FROM reporting.archive_step;

CREATE VIEW reporting.archive_reclaims AS
SELECT run_id, at, database, schema_name, table_name, removed_rows, heap_bytes, index_bytes
FROM reporting.archive_reclaim;

COMMENT ON TABLE reporting.archive_plan IS 'What every run of the archive pipeline found to do, table by table.';
COMMENT ON TABLE reporting.archive_step IS 'Every step of every archived month.';
COMMENT ON TABLE reporting.archive_reclaim IS 'Tables that rows were moved out of, for those who make tables and indexes smaller.';

COMMENT ON VIEW reporting.archive_plans IS 'What every run of the archive pipeline found to do, table by table.';
COMMENT ON COLUMN reporting.archive_plans.run_id IS 'Run that left this evidence.';
COMMENT ON COLUMN reporting.archive_plans.at IS 'When the evidence was written.';
COMMENT ON COLUMN reporting.archive_plans.database IS 'Database, by its name in the fleet file.';
COMMENT ON COLUMN reporting.archive_plans.schema_name IS 'Schema of the table.';
COMMENT ON COLUMN reporting.archive_plans.table_name IS 'Name of the table.';
COMMENT ON COLUMN reporting.archive_plans.mode IS 'move or detach.';
COMMENT ON COLUMN reporting.archive_plans.cutoff IS 'First month of which something is too young to leave.';
COMMENT ON COLUMN reporting.archive_plans.months IS 'Months that would leave.';
COMMENT ON COLUMN reporting.archive_plans.planned_rows IS 'Rows that would leave, counted.';
COMMENT ON COLUMN reporting.archive_plans.wal_bytes IS 'Write-ahead log that this would take, estimated.';
COMMENT ON COLUMN reporting.archive_plans.disk_bytes IS 'What the archive would take on disk, estimated.';
COMMENT ON COLUMN reporting.archive_plans.approved_by IS 'Who approved this rule; empty when nobody did yet.';
COMMENT ON COLUMN reporting.archive_plans.refusals IS 'Why nothing may leave; empty when nothing stands in the way.';

COMMENT ON VIEW reporting.archive_steps IS 'Every step of every archived month.';
COMMENT ON COLUMN reporting.archive_steps.run_id IS 'Run that left this evidence.';
COMMENT ON COLUMN reporting.archive_steps.at IS 'When the evidence was written.';
COMMENT ON COLUMN reporting.archive_steps.database IS 'Database, by its name in the fleet file.';
COMMENT ON COLUMN reporting.archive_steps.schema_name IS 'Schema of the table.';
COMMENT ON COLUMN reporting.archive_steps.table_name IS 'Name of the table.';
COMMENT ON COLUMN reporting.archive_steps.month IS 'Month that the step was about; null when it was about the table.';
COMMENT ON COLUMN reporting.archive_steps.generation IS 'How often the month was begun: it rises when a late row reopens it.';
COMMENT ON COLUMN reporting.archive_steps.step IS 'moved, detached, sealed, stored, proven, dropped, destroyed, restored, held, released or erased.';
COMMENT ON COLUMN reporting.archive_steps.row_count IS 'Rows that the step was about.';
COMMENT ON COLUMN reporting.archive_steps.bytes IS 'Size of the month on disk, or of its object in the vault.';
COMMENT ON COLUMN reporting.archive_steps.checksum IS 'Sum of the hashes of the rows, as the ledger in the database has it.';
COMMENT ON COLUMN reporting.archive_steps.took IS 'How long the step took.';
COMMENT ON COLUMN reporting.archive_steps.detail IS 'Facts: keys of objects, reasons, names of people who acted; never the content of a row.';

COMMENT ON VIEW reporting.archive_reclaims IS 'Tables that rows were moved out of: their files keep their size until somebody makes them smaller.';
COMMENT ON COLUMN reporting.archive_reclaims.run_id IS 'Run that left this evidence.';
COMMENT ON COLUMN reporting.archive_reclaims.at IS 'When the evidence was written.';
COMMENT ON COLUMN reporting.archive_reclaims.database IS 'Database, by its name in the fleet file.';
COMMENT ON COLUMN reporting.archive_reclaims.schema_name IS 'Schema of the table.';
COMMENT ON COLUMN reporting.archive_reclaims.table_name IS 'Name of the table that the rows left.';
COMMENT ON COLUMN reporting.archive_reclaims.removed_rows IS 'Rows that left it in this run.';
COMMENT ON COLUMN reporting.archive_reclaims.heap_bytes IS 'Size of its heap after the run.';
COMMENT ON COLUMN reporting.archive_reclaims.index_bytes IS 'Size of its indexes after the run.';

GRANT SELECT ON reporting.archive_plans, reporting.archive_steps, reporting.archive_reclaims TO pgtend_reader, pgtend_writer;
GRANT INSERT ON reporting.archive_plan, reporting.archive_step, reporting.archive_reclaim TO pgtend_writer;
