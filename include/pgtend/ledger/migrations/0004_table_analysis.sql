-- The evidence of the analyze pipeline: what was decided for each table, why, and what the server itself says came of it.

CREATE TABLE reporting.table_analysis (
    run_id text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    database text NOT NULL,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    decision text NOT NULL CHECK (decision IN ('analyze', 'skip')),
    reason text NOT NULL,
    outcome text NOT NULL,
    took interval,
    rows_before bigint,
    rows_after bigint,
    changed_rows bigint,
    analyze_count_before bigint,
    analyze_count_after bigint,
    proved_at timestamptz,
    error_code text NOT NULL DEFAULT ''
) PARTITION BY RANGE (at);

CREATE TABLE reporting.table_analysis_default PARTITION OF reporting.table_analysis DEFAULT;

-- Names of runs sort by time, so one BRIN finds a night as well as a run; a btree would outgrow the partition's use.
CREATE INDEX table_analysis_at ON reporting.table_analysis
    USING brin (at, run_id) WITH (pages_per_range = 16, autosummarize = on);

COMMENT ON TABLE reporting.table_analysis IS 'Every table the analyze pipeline looked at, in every run.';
