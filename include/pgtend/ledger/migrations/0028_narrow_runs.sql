-- A run that was asked for some tables or indexes says nothing about the others. Without knowing that, whoever reads the newest run
-- took what it left out for what needs nothing.

CREATE TABLE reporting.narrow_run (
    run_id text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    database text NOT NULL,
    asked text NOT NULL
) PARTITION BY RANGE (at);

CREATE TABLE reporting.narrow_run_default PARTITION OF reporting.narrow_run DEFAULT;
CREATE INDEX narrow_run_by_run ON reporting.narrow_run (run_id);

COMMENT ON TABLE reporting.narrow_run IS 'Runs that were asked for some tables or indexes, and not for all of a database.';

CREATE VIEW reporting.narrow_runs AS
SELECT run_id, at, database, asked
FROM reporting.narrow_run;

COMMENT ON VIEW reporting.narrow_runs IS 'Runs that were asked for some tables or indexes, and not for all of a database.';
COMMENT ON COLUMN reporting.narrow_runs.run_id IS 'The run.';
COMMENT ON COLUMN reporting.narrow_runs.at IS 'When it was asked.';
COMMENT ON COLUMN reporting.narrow_runs.database IS 'Database, by its name in the fleet file.';
COMMENT ON COLUMN reporting.narrow_runs.asked IS 'What it was asked for, as it was written.';

GRANT SELECT ON reporting.narrow_runs TO pgtend_reader, pgtend_writer;
GRANT INSERT ON reporting.narrow_run TO pgtend_writer;
