-- How large an inverted index becomes depends on how far apart its rows lie. Production's rebuilds note how its rows are spread over
-- pages, and a drill builds the index on rows that are spread so.

CREATE TABLE reporting.table_occupancy (
    run_id text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    database text NOT NULL,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    pages bigint NOT NULL,
    firsts bigint[] NOT NULL,
    rows_on_pages smallint[] NOT NULL
) PARTITION BY RANGE (at);

CREATE TABLE reporting.table_occupancy_default PARTITION OF reporting.table_occupancy DEFAULT;
CREATE INDEX table_occupancy_newest ON reporting.table_occupancy (database, schema_name, table_name, at DESC);

CREATE TABLE reporting.index_spread_size (
    run_id text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    database text NOT NULL,
    schema_name text NOT NULL,
    table_name text NOT NULL,
    index_name text NOT NULL,
    definition_sha256 text NOT NULL,
    bytes bigint NOT NULL,
    rows bigint NOT NULL,
    pages bigint NOT NULL
) PARTITION BY RANGE (at);

CREATE TABLE reporting.index_spread_size_default PARTITION OF reporting.index_spread_size DEFAULT;
CREATE INDEX index_spread_size_newest ON reporting.index_spread_size (database, schema_name, index_name, at DESC);

COMMENT ON TABLE reporting.table_occupancy IS 'How many rows lay on pages of tables that have inverted indexes and are too large to be read whole.';
COMMENT ON TABLE reporting.index_spread_size IS 'Sizes of inverted indexes that a drill built on rows spread over as many pages as in production.';

CREATE VIEW reporting.table_occupancies AS
SELECT DISTINCT ON (database, schema_name, table_name) database, schema_name, table_name, pages, firsts, rows_on_pages, at,
    run_id
FROM reporting.table_occupancy
ORDER BY database, schema_name, table_name, at DESC;

CREATE VIEW reporting.index_spread_sizes AS
SELECT DISTINCT ON (database, schema_name, index_name) database, schema_name, table_name, index_name, definition_sha256,
    bytes, rows, pages, at, run_id
FROM reporting.index_spread_size
ORDER BY database, schema_name, index_name, at DESC;

COMMENT ON VIEW reporting.table_occupancies IS 'How rows were last seen to be spread over the pages of tables that have inverted indexes and are too large to be read whole.';
COMMENT ON COLUMN reporting.table_occupancies.database IS 'Database, by its name in the fleet file.';
COMMENT ON COLUMN reporting.table_occupancies.schema_name IS 'Schema of the table.';
COMMENT ON COLUMN reporting.table_occupancies.table_name IS 'Name of the table.';
COMMENT ON COLUMN reporting.table_occupancies.pages IS 'Pages of the table.';
COMMENT ON COLUMN reporting.table_occupancies.firsts IS 'The first page of each stretch that was looked at; all are equally long.';
COMMENT ON COLUMN reporting.table_occupancies.rows_on_pages IS 'Rows on each page of these stretches, one after the other.';
COMMENT ON COLUMN reporting.table_occupancies.at IS 'When it was looked at.';
COMMENT ON COLUMN reporting.table_occupancies.run_id IS 'Run that looked.';

COMMENT ON VIEW reporting.index_spread_sizes IS 'The newest known size of each inverted index that a drill built on rows spread as in production: what a rebuild would come to.';
COMMENT ON COLUMN reporting.index_spread_sizes.database IS 'Database, by its name in the fleet file.';
COMMENT ON COLUMN reporting.index_spread_sizes.schema_name IS 'Schema of the index and its table.';
COMMENT ON COLUMN reporting.index_spread_sizes.table_name IS 'Table of the index.';
COMMENT ON COLUMN reporting.index_spread_sizes.index_name IS 'Name of the index.';
COMMENT ON COLUMN reporting.index_spread_sizes.definition_sha256 IS 'SHA-256 of pg_get_indexdef: the size means something for the same definition only.';
COMMENT ON COLUMN reporting.index_spread_sizes.bytes IS 'Bytes on disk.';
COMMENT ON COLUMN reporting.index_spread_sizes.rows IS 'Rows of the table.';
COMMENT ON COLUMN reporting.index_spread_sizes.pages IS 'Pages they were spread over.';
COMMENT ON COLUMN reporting.index_spread_sizes.at IS 'When it was measured.';
COMMENT ON COLUMN reporting.index_spread_sizes.run_id IS 'Run on the copy of a drill that measured it.';

GRANT SELECT ON reporting.table_occupancies, reporting.index_spread_sizes TO pgtend_reader, pgtend_writer;
GRANT INSERT ON reporting.table_occupancy, reporting.index_spread_size TO pgtend_writer;
