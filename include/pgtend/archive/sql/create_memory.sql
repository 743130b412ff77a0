-- Makes our own tables in the tended database: what is moved and what is written down about it must commit together.
DO $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('pgtend_archive', 0));
    IF to_regclass('pgtend_archive.cold') IS NOT NULL THEN
        RETURN;
    END IF;
    IF to_regnamespace('pgtend_archive') IS NULL THEN
        CREATE SCHEMA pgtend_archive;
        COMMENT ON SCHEMA pgtend_archive IS 'Months that left their tables, and the ledger of what was moved. Made by pgtend.';
    END IF;

    CREATE TABLE pgtend_archive.source (
        source_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        schema_name text NOT NULL,
        table_name text NOT NULL,
        rule_digest text NOT NULL,
        approved_by text NOT NULL,
        approved_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        UNIQUE (schema_name, table_name)
    );
    COMMENT ON TABLE pgtend_archive.source IS 'Tables with an archive, and who approved the rule they are archived by.';

    CREATE TABLE pgtend_archive.pass (
        source_id integer NOT NULL REFERENCES pgtend_archive.source,
        relation oid NOT NULL,
        cutoff date NOT NULL,
        next_block bigint NOT NULL,
        last_block bigint NOT NULL,
        moved bigint NOT NULL DEFAULT 0,
        PRIMARY KEY (source_id, relation)
    );
    COMMENT ON TABLE pgtend_archive.pass IS 'How far a walk through a table came; moved on in the statement that moves the rows.';

    CREATE TABLE pgtend_archive.unit (
        source_id integer NOT NULL REFERENCES pgtend_archive.source,
        month date NOT NULL CHECK (extract(day FROM month) = 1),
        gen integer NOT NULL DEFAULT 1,
        state text NOT NULL CHECK (state IN ('detaching', 'moving', 'sealed', 'stored', 'proven', 'dropped', 'destroyed')),
        rows bigint NOT NULL DEFAULT 0 CHECK (rows >= 0),
        checksum numeric NOT NULL DEFAULT 0,
        columns text[] NOT NULL,
        partition text NOT NULL,
        came_from text NOT NULL DEFAULT '',
        changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        sealed_at timestamptz,
        proven_at timestamptz,
        dropped_at timestamptz,
        PRIMARY KEY (source_id, month)
    );
    COMMENT ON TABLE pgtend_archive.unit IS 'One archived month: how many rows the moving statements took, and the sum of the hashes of their content.';
    -- Read by whoever opens this ledger: what was hashed in another way cannot be compared.
    COMMENT ON COLUMN pgtend_archive.unit.checksum IS {algorithm};

    CREATE TABLE pgtend_archive.hold (
        hold_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        source_id integer NOT NULL REFERENCES pgtend_archive.source,
        month date NOT NULL,
        is_legal boolean NOT NULL,
        reason text NOT NULL,
        placed_by text NOT NULL,
        placed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        until timestamptz
    );
    COMMENT ON TABLE pgtend_archive.hold IS 'Months that stay as they are: restored ones for a while, others because the law says so.';

    CREATE TABLE pgtend_archive.cold (
        source_id integer NOT NULL REFERENCES pgtend_archive.source,
        month date NOT NULL,
        gen integer NOT NULL,
        key text NOT NULL UNIQUE,
        rows bigint NOT NULL,
        checksum numeric NOT NULL,
        state text NOT NULL CHECK (state IN ('stored', 'proven', 'alone', 'superseded', 'destroyed')),
        stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (source_id, month, gen)
    );
    COMMENT ON TABLE pgtend_archive.cold IS 'Months in the vault; `alone` means that the database holds their rows no more.';
END
$$
