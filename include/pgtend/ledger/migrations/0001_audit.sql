-- The audit comes first: everything that follows is written down in it, this migration included.

CREATE SCHEMA IF NOT EXISTS reporting;

CREATE TABLE reporting.migration (
    number integer PRIMARY KEY CHECK (number > 0),
    name text NOT NULL,
    sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    applied_by text NOT NULL DEFAULT session_user
);

-- Not partitioned, unlike what grows every night: the audit is never forgotten, and one primary key over all of it is
-- what makes a fork impossible whatever the isolation level of the transactions that append.
CREATE TABLE reporting.audit_entry (
    seq bigint PRIMARY KEY CHECK (seq > 0),
    at timestamptz NOT NULL,
    login text NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    target text NOT NULL,
    detail jsonb NOT NULL CHECK (jsonb_typeof(detail) = 'object'),
    prev bytea NOT NULL CHECK (octet_length(prev) = 32),
    hash bytea NOT NULL CHECK (octet_length(hash) = 32)
);

CREATE INDEX audit_entry_at ON reporting.audit_entry USING brin (at) WITH (autosummarize = on);

-- A length before each field: no two different entries can be written with the same bytes. The bodies below are parsed
-- now (RETURN instead of a string), so no search_path of a later caller can change what they mean.
CREATE FUNCTION reporting.audit_field(field text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN octet_length(field)::text || ':' || field || ',';

CREATE FUNCTION reporting.audit_hash(
    seq bigint, at timestamptz, login text, actor text, action text, target text, detail jsonb, prev bytea
) RETURNS bytea
LANGUAGE sql STABLE STRICT PARALLEL SAFE
RETURN sha256(prev || convert_to(
    reporting.audit_field(seq::text)
    -- Microseconds since 1970, which no TimeZone and no DateStyle can bend.
    || reporting.audit_field(trunc(extract(epoch FROM at AT TIME ZONE 'UTC') * 1000000)::bigint::text)
    || reporting.audit_field(login)
    || reporting.audit_field(actor)
    || reporting.audit_field(action)
    || reporting.audit_field(target)
    || reporting.audit_field(detail::text),
    'UTF8'));

CREATE FUNCTION reporting.append_audit(actor text, action text, target text, detail jsonb)
RETURNS reporting.audit_entry
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    entry reporting.audit_entry;
BEGIN
    -- One at a time until the transaction ends: whoever waits here sees the head that the other one committed.
    PERFORM pg_advisory_xact_lock(hashtextextended('pgtend.reporting.audit', 0));
    SELECT head.seq + 1, head.hash INTO entry.seq, entry.prev
        FROM reporting.audit_entry AS head ORDER BY head.seq DESC LIMIT 1;
    IF NOT FOUND THEN
        entry.seq := 1;
        entry.prev := decode(repeat('00', 32), 'hex');
    END IF;
    entry.at := clock_timestamp();
    entry.login := session_user;
    entry.actor := append_audit.actor;
    entry.action := append_audit.action;
    entry.target := append_audit.target;
    entry.detail := append_audit.detail;
    entry.hash := reporting.audit_hash(
        entry.seq, entry.at, entry.login, entry.actor, entry.action, entry.target, entry.detail, entry.prev);
    INSERT INTO reporting.audit_entry SELECT entry.*;
    RETURN entry;
END
$$;

CREATE FUNCTION reporting.refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'the audit is append-only'
        USING ERRCODE = 'insufficient_privilege',
              HINT = 'Entries are added by reporting.append_audit() and are never changed or removed.';
END
$$;

CREATE TRIGGER audit_entry_is_append_only
    BEFORE UPDATE OR DELETE OR TRUNCATE ON reporting.audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION reporting.refuse_change();

-- Otherwise session_replication_role = replica would switch it off.
ALTER TABLE reporting.audit_entry ENABLE ALWAYS TRIGGER audit_entry_is_append_only;

COMMENT ON SCHEMA reporting IS 'What pgtend did, when, and with which evidence. The views are its stable interface.';
COMMENT ON TABLE reporting.migration IS 'The migrations of this schema that were applied, with the digest of each file.';
COMMENT ON TABLE reporting.audit_entry IS 'Every action, its intent before and its outcome after; each entry carries the hash of the one before.';
COMMENT ON FUNCTION reporting.audit_field(text) IS 'One field of an audit entry as it is hashed: its length in bytes, a colon, the field, a comma.';
COMMENT ON FUNCTION reporting.audit_hash(bigint, timestamptz, text, text, text, text, jsonb, bytea) IS 'The SHA-256 of the hash before and of all fields of an entry.';
COMMENT ON FUNCTION reporting.append_audit(text, text, text, jsonb) IS 'The only way into the audit: adds one entry after the newest one and returns it.';
COMMENT ON FUNCTION reporting.refuse_change() IS 'Refuses every change and removal of what is append-only.';
