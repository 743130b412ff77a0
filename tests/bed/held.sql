-- gates
-- Waits where somebody holds the gate of the phase that a concurrent build is in; for everybody else it does nothing.
CREATE FUNCTION clinic.gate() RETURNS void LANGUAGE plpgsql AS $$ DECLARE stands_at text; BEGIN PERFORM
    pg_stat_clear_snapshot(); SELECT p.phase INTO stands_at FROM pg_stat_progress_create_index AS p WHERE p.pid =
    pg_backend_pid() AND p.command = 'REINDEX CONCURRENTLY'; IF FOUND THEN PERFORM
    pg_advisory_xact_lock_shared(hashtext(stands_at)); END IF; END $$;
CREATE FUNCTION clinic.told(text) RETURNS text IMMUTABLE LANGUAGE plpgsql
    AS $$ BEGIN PERFORM clinic.gate(); RETURN $1; END $$;
CREATE FUNCTION clinic.compared(text, text) RETURNS int IMMUTABLE LANGUAGE plpgsql
    AS $$ BEGIN PERFORM clinic.gate(); RETURN bttextcmp($1, $2); END $$;
CREATE OPERATOR CLASS clinic.gated_ops FOR TYPE text USING btree AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 clinic.compared(text, text);

-- held
CREATE TABLE clinic.gated (id int PRIMARY KEY, code text);
INSERT INTO clinic.gated SELECT n, md5(n::text) FROM generate_series(1, 500) AS n;
CREATE INDEX gated_code ON clinic.gated (clinic.told(code) clinic.gated_ops);
CREATE TABLE clinic.wide (id int PRIMARY KEY, marks int[]);
INSERT INTO clinic.wide
SELECT n, ARRAY(SELECT mod(n * 31 + m * 7919, 5000) FROM generate_series(1, 30) AS m) FROM generate_series(1, 12000) AS n;
CREATE INDEX wide_marks ON clinic.wide USING gin (marks);
