-- The catalogue of backups for SQL and dashboards: what each vault held when it was last looked through. The vault itself
-- is the truth, and all of this can be written anew from it.

CREATE TABLE reporting.backup (
    run_id text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    database text NOT NULL,
    vault text NOT NULL,
    backup_id text NOT NULL,
    taken_at timestamptz NOT NULL,
    stored_at timestamptz NOT NULL,
    checked_at timestamptz NOT NULL,
    state text NOT NULL,
    faults text NOT NULL DEFAULT '',
    stored_bytes bigint NOT NULL,
    plain_bytes bigint NOT NULL,
    rows bigint NOT NULL,
    tables integer NOT NULL,
    took interval NOT NULL,
    snapshot_held interval NOT NULL,
    server_version text NOT NULL,
    sealed_for text NOT NULL,
    keep boolean NOT NULL,
    keep_until date,
    keep_reason text NOT NULL,
    in_use text NOT NULL DEFAULT ''
) PARTITION BY RANGE (at);

CREATE TABLE reporting.backup_default PARTITION OF reporting.backup DEFAULT;

CREATE INDEX backup_at ON reporting.backup
    USING brin (at, run_id) WITH (pages_per_range = 16, autosummarize = on);

CREATE TABLE reporting.vault_listing (
    run_id text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    database text NOT NULL,
    vault text NOT NULL,
    place text NOT NULL,
    is_copy boolean NOT NULL,
    backups integer NOT NULL,
    unfinished integer NOT NULL,
    doubts text NOT NULL DEFAULT ''
) PARTITION BY RANGE (at);

CREATE TABLE reporting.vault_listing_default PARTITION OF reporting.vault_listing DEFAULT;

CREATE INDEX vault_listing_at ON reporting.vault_listing
    USING brin (at, run_id) WITH (pages_per_range = 16, autosummarize = on);

COMMENT ON TABLE reporting.backup IS 'Every backup as it was seen in a vault, in every run that looked.';
COMMENT ON TABLE reporting.vault_listing IS 'Every time a vault was looked through for the backups of a database; written after what was seen there.';

CREATE VIEW reporting.vault_listings AS
SELECT DISTINCT ON (database, vault) database, vault, place, is_copy, at AS listed_at, backups, unfinished, doubts, run_id
FROM reporting.vault_listing
ORDER BY database, vault, at DESC;

-- What a listing saw was written shortly before it; what a backup wrote of itself comes after the last listing.
CREATE VIEW reporting.backup_places AS
SELECT listing.database, seen.backup_id, listing.vault, listing.place, listing.is_copy, seen.taken_at, now() - seen.taken_at AS age,
    seen.state, seen.faults, seen.stored_bytes, seen.plain_bytes, seen.rows, seen.tables, seen.took, seen.snapshot_held,
    seen.server_version, seen.sealed_for, seen.keep, seen.keep_until, seen.keep_reason, seen.in_use, seen.stored_at,
    seen.checked_at, seen.at AS seen_at, seen.run_id
FROM reporting.vault_listings AS listing
CROSS JOIN LATERAL (
    SELECT DISTINCT ON (backup_id) *
    FROM reporting.backup
    WHERE backup.database = listing.database AND backup.vault = listing.vault
      AND backup.at > listing.listed_at - interval '1 day'
      AND (backup.run_id = listing.run_id OR backup.at > listing.listed_at)
    ORDER BY backup_id, at DESC
) AS seen;

CREATE VIEW reporting.backups AS
SELECT DISTINCT ON (database, backup_id) database, backup_id, state, taken_at, age, rows, tables, stored_bytes, plain_bytes,
    vault,
    ARRAY(
        SELECT other.vault FROM reporting.backup_places AS other
        WHERE other.database = here.database AND other.backup_id = here.backup_id AND other.is_copy
          AND other.state NOT IN ('DAMAGED', 'BROKEN')
        ORDER BY other.vault
    ) AS copies,
    keep, keep_until, keep_reason, faults, in_use, took, snapshot_held, server_version, sealed_for, stored_at, checked_at,
    seen_at, run_id
FROM reporting.backup_places AS here
ORDER BY database, backup_id, is_copy, vault;

COMMENT ON VIEW reporting.backups IS 'Every backup that is there, once, as it was last seen; pgtend backups asks the vault itself.';
COMMENT ON COLUMN reporting.backups.database IS 'Database, by its name in the fleet file.';
COMMENT ON COLUMN reporting.backups.backup_id IS 'Name of the backup; names sort by time.';
COMMENT ON COLUMN reporting.backups.state IS 'STORED, VERIFIED (every byte was read back), PROVEN (a drill restored it), DAMAGED (bytes are missing or changed) or BROKEN (a drill found that it restores to something else).';
COMMENT ON COLUMN reporting.backups.taken_at IS 'The moment it shows.';
COMMENT ON COLUMN reporting.backups.age IS 'How long ago that was.';
COMMENT ON COLUMN reporting.backups.rows IS 'Rows of all its tables.';
COMMENT ON COLUMN reporting.backups.tables IS 'How many tables it holds; partitions count, partitioned tables do not.';
COMMENT ON COLUMN reporting.backups.stored_bytes IS 'What it takes in the vault.';
COMMENT ON COLUMN reporting.backups.plain_bytes IS 'What it weighs unpacked.';
COMMENT ON COLUMN reporting.backups.vault IS 'Vault it was seen in, by its name in the fleet file: the database''s own, or where only a copy is left, that.';
COMMENT ON COLUMN reporting.backups.copies IS 'Other vaults that hold a sound copy.';
COMMENT ON COLUMN reporting.backups.keep IS 'Whether retention keeps it.';
COMMENT ON COLUMN reporting.backups.keep_until IS 'The day on which the last rule lets go of it; null when no rule sets a day.';
COMMENT ON COLUMN reporting.backups.keep_reason IS 'Why it is kept or may go.';
COMMENT ON COLUMN reporting.backups.faults IS 'What is wrong with it; empty when nothing is.';
COMMENT ON COLUMN reporting.backups.in_use IS 'Who is restoring or copying it; empty when nobody is.';
COMMENT ON COLUMN reporting.backups.took IS 'How long it took.';
COMMENT ON COLUMN reporting.backups.snapshot_held IS 'How long its locks and its snapshot were held on the source.';
COMMENT ON COLUMN reporting.backups.server_version IS 'PostgreSQL of the source.';
COMMENT ON COLUMN reporting.backups.sealed_for IS 'Names of those whose private keys open it; empty when it is not encrypted.';
COMMENT ON COLUMN reporting.backups.stored_at IS 'When the vault took its manifest: from then on it existed.';
COMMENT ON COLUMN reporting.backups.checked_at IS 'When somebody last found out what its state says.';
COMMENT ON COLUMN reporting.backups.seen_at IS 'When it was last seen in the vault.';
COMMENT ON COLUMN reporting.backups.run_id IS 'Run that saw it.';

COMMENT ON VIEW reporting.backup_places IS 'The same for every vault: a backup and each of its copies have a row of their own.';
DO $$
DECLARE
    same record;
BEGIN
    FOR same IN
        SELECT there.attname, col_description(here.attrelid, here.attnum) AS comment
        FROM pg_attribute AS here JOIN pg_attribute AS there USING (attname)
        WHERE here.attrelid = 'reporting.backups'::regclass AND there.attrelid = 'reporting.backup_places'::regclass
          AND there.attnum > 0
    LOOP
        EXECUTE format('COMMENT ON COLUMN reporting.backup_places.%I IS %L', same.attname, same.comment);
    END LOOP;
END
$$;
COMMENT ON COLUMN reporting.backup_places.vault IS 'Vault, by its name in the fleet file.';
COMMENT ON COLUMN reporting.backup_places.place IS 'Where that is.';
COMMENT ON COLUMN reporting.backup_places.is_copy IS 'Whether it is another vault than the database''s own.';

COMMENT ON VIEW reporting.vault_listings IS 'When each vault was last looked through for the backups of a database, and what made retention doubt.';
COMMENT ON COLUMN reporting.vault_listings.database IS 'Database, by its name in the fleet file.';
COMMENT ON COLUMN reporting.vault_listings.vault IS 'Vault, by its name in the fleet file.';
COMMENT ON COLUMN reporting.vault_listings.place IS 'Where that is.';
COMMENT ON COLUMN reporting.vault_listings.is_copy IS 'Whether it is another vault than the database''s own.';
COMMENT ON COLUMN reporting.vault_listings.listed_at IS 'When it was looked through.';
COMMENT ON COLUMN reporting.vault_listings.backups IS 'How many backups it held.';
COMMENT ON COLUMN reporting.vault_listings.unfinished IS 'How many attempts left something there that is no backup.';
COMMENT ON COLUMN reporting.vault_listings.doubts IS 'Why nothing may be removed at the moment; empty when nothing is doubtful.';
COMMENT ON COLUMN reporting.vault_listings.run_id IS 'Run that looked.';

GRANT SELECT ON reporting.backups, reporting.backup_places, reporting.vault_listings TO pgtend_reader, pgtend_writer;
GRANT INSERT ON reporting.backup, reporting.vault_listing TO pgtend_writer;
