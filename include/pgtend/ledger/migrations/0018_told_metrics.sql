-- What applications tell about themselves, such as how long a checkout takes: beside what the server says, over the same days.

CREATE TABLE reporting.told_metric (
    database text NOT NULL,
    at timestamptz NOT NULL,
    name text NOT NULL CHECK (name ~ '^[a-z][a-z0-9_]{0,62}$'),
    unit text NOT NULL DEFAULT '' CHECK (length(unit) <= 20),
    value double precision NOT NULL CHECK (value NOT IN ('NaN', 'Infinity', '-Infinity')),
    told_by text NOT NULL
) PARTITION BY RANGE (at);

CREATE TABLE reporting.told_metric_default PARTITION OF reporting.told_metric DEFAULT;
CREATE INDEX told_metric_at ON reporting.told_metric USING brin (at) WITH (autosummarize = on);
CREATE INDEX told_metric_of ON reporting.told_metric (database, name, at);

CREATE VIEW reporting.told_metrics AS
SELECT at, database, name, unit, value, told_by
FROM reporting.told_metric;

COMMENT ON TABLE reporting.told_metric IS 'Numbers that applications told about themselves.';
COMMENT ON VIEW reporting.told_metrics IS 'Numbers that applications told about themselves; ask with a range of at.';
COMMENT ON COLUMN reporting.told_metrics.at IS 'When it was measured, as the application says.';
COMMENT ON COLUMN reporting.told_metrics.database IS 'Database, by its name in the fleet file.';
COMMENT ON COLUMN reporting.told_metrics.name IS 'What was measured, such as checkout_seconds.';
COMMENT ON COLUMN reporting.told_metrics.unit IS 'What the number counts, in the words of the application.';
COMMENT ON COLUMN reporting.told_metrics.value IS 'The number.';
COMMENT ON COLUMN reporting.told_metrics.told_by IS 'The login that told it.';

GRANT SELECT ON reporting.told_metrics TO pgtend_reader, pgtend_writer;
GRANT INSERT ON reporting.told_metric TO pgtend_writer;
