-- Scribemed: clinical notes for many organizations, each of which sees only its own patients.
-- Loaded as the owner, scribemed_owner, and correct on PostgreSQL 15 to 18. The team's monitoring view over
-- pg_stat_statements is left out: it ties the schema to one version of an extension that only a superuser may create,
-- so that no restore by anybody else would succeed. Their index migration is included without CONCURRENTLY, which a
-- transactional migration refuses (25001) and an empty table does not need.

CREATE EXTENSION IF NOT EXISTS citext;
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS pgcrypto;

CREATE TYPE note_status AS ENUM ('draft', 'pending_review', 'signed', 'amended');
CREATE DOMAIN medical_record_number AS text CHECK (VALUE ~ '^MRN[0-9]{8}$');

CREATE TABLE organizations (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name text NOT NULL,
    slug citext NOT NULL UNIQUE,
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended', 'closed')),
    settings jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE users (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id),
    email citext NOT NULL,
    password_hash text NOT NULL,
    first_name text NOT NULL,
    last_name text NOT NULL,
    role text NOT NULL CHECK (role IN ('admin', 'provider', 'nurse', 'staff')),
    specialties text[] NOT NULL DEFAULT '{}',
    deleted_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
-- The guide's lookup index, made unique: an address belongs to one living account.
CREATE UNIQUE INDEX idx_users_email ON users (email) WHERE deleted_at IS NULL;
CREATE INDEX idx_users_organization ON users (organization_id);

CREATE TABLE sessions (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_digest bytea NOT NULL UNIQUE,
    user_agent text,
    ip_address inet,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE INDEX idx_sessions_user_active ON sessions (user_id) WHERE revoked_at IS NULL;

CREATE TABLE audit_logs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations (id),
    user_id uuid REFERENCES users (id) ON DELETE SET NULL,
    action text NOT NULL,
    resource_type text NOT NULL,
    resource_id uuid,
    detail jsonb,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_audit_logs_user_date ON audit_logs (user_id, created_at DESC);
CREATE INDEX idx_audit_logs_created ON audit_logs USING brin (created_at) WITH (pages_per_range = 32);

CREATE TABLE patients (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id),
    mrn medical_record_number NOT NULL,
    first_name text NOT NULL,
    last_name text NOT NULL,
    full_name text GENERATED ALWAYS AS (first_name || ' ' || last_name) STORED,
    date_of_birth date,
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'inactive', 'deceased')),
    allergies text[] NOT NULL DEFAULT '{}',
    contact jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (organization_id, mrn)
);
CREATE INDEX idx_patients_active ON patients (organization_id, last_name) WHERE status = 'active';
CREATE INDEX idx_patients_allergies ON patients USING gin (allergies);

CREATE TABLE encounters (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id),
    patient_id uuid NOT NULL REFERENCES patients (id),
    provider_id uuid NOT NULL REFERENCES users (id),
    kind text NOT NULL CHECK (kind IN ('visit', 'telehealth', 'follow_up', 'urgent')),
    during tstzrange NOT NULL,
    vitals jsonb,
    CONSTRAINT encounters_during_bounded CHECK (NOT isempty(during) AND lower(during) IS NOT NULL),
    -- Nobody is in two rooms at once.
    CONSTRAINT encounters_one_room_at_a_time EXCLUDE USING gist (provider_id WITH =, during WITH &&)
);
CREATE INDEX idx_encounters_patient ON encounters (patient_id, lower(during) DESC);
CREATE INDEX idx_encounters_organization ON encounters (organization_id);

CREATE TABLE notes (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    organization_id uuid NOT NULL REFERENCES organizations (id),
    encounter_id uuid NOT NULL REFERENCES encounters (id) ON DELETE CASCADE,
    patient_id uuid NOT NULL REFERENCES patients (id),
    provider_id uuid NOT NULL REFERENCES users (id),
    status note_status NOT NULL DEFAULT 'draft',
    subjective text,
    objective text,
    assessment text,
    plan text,
    transcript_key text,
    search tsvector GENERATED ALWAYS AS (
        to_tsvector('english', coalesce(subjective, '') || ' ' || coalesce(assessment, '') || ' ' || coalesce(plan, ''))
    ) STORED,
    created_at timestamptz NOT NULL DEFAULT now(),
    signed_at timestamptz,
    CONSTRAINT notes_signature_check CHECK ((status IN ('signed', 'amended')) = (signed_at IS NOT NULL))
);
CREATE INDEX idx_notes_provider_date ON notes (provider_id, created_at DESC);
CREATE INDEX idx_notes_patient_date ON notes (patient_id, created_at DESC);
CREATE INDEX idx_notes_encounter ON notes (encounter_id);
CREATE INDEX idx_notes_unsigned ON notes (provider_id) WHERE signed_at IS NULL;
CREATE INDEX idx_notes_search ON notes USING gin (search);

CREATE TABLE note_versions (
    note_id uuid NOT NULL REFERENCES notes (id) ON DELETE CASCADE,
    version integer NOT NULL CHECK (version > 0),
    body jsonb NOT NULL,
    digest bytea NOT NULL CHECK (length(digest) = 32),
    saved_by uuid REFERENCES users (id) ON DELETE SET NULL,
    saved_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (note_id, version)
);

-- A signed note is evidence: from then on it is amended by a new version, never edited in place.
CREATE FUNCTION protect_signed_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.signed_at IS NOT NULL AND NEW.status <> 'amended' THEN
        RAISE EXCEPTION 'a signed note is only ever amended' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER notes_protect_signed BEFORE UPDATE ON notes
    FOR EACH ROW EXECUTE FUNCTION protect_signed_note();

CREATE FUNCTION keep_note_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO note_versions (note_id, version, body, digest, saved_by)
    SELECT NEW.id, coalesce(max(v.version), 0) + 1, b.body, public.digest(b.body::text, 'sha256'), NEW.provider_id
    FROM (SELECT jsonb_build_object('subjective', NEW.subjective, 'objective', NEW.objective,
                                    'assessment', NEW.assessment, 'plan', NEW.plan) AS body) AS b
    LEFT JOIN public.note_versions AS v ON v.note_id = NEW.id
    GROUP BY b.body;
    RETURN NULL;
END
$$;
CREATE TRIGGER notes_keep_version AFTER UPDATE OF subjective, objective, assessment, plan ON notes
    FOR EACH ROW EXECUTE FUNCTION keep_note_version();

-- Row-level security by organization -------------------------------------------------------------------------------

CREATE FUNCTION acting_organization() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('app.organization_id', true), '')::uuid;

ALTER TABLE patients ENABLE ROW LEVEL SECURITY;
ALTER TABLE encounters ENABLE ROW LEVEL SECURITY;
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_organization ON patients USING (organization_id = acting_organization());
CREATE POLICY own_organization ON encounters USING (organization_id = acting_organization());
CREATE POLICY own_organization ON notes USING (organization_id = acting_organization());

CREATE VIEW provider_workload WITH (security_invoker = true) AS
    SELECT provider_id, date_trunc('week', created_at)::date AS week, count(*) AS notes,
           count(*) FILTER (WHERE signed_at IS NULL) AS unsigned
    FROM notes
    GROUP BY 1, 2;

GRANT USAGE ON SCHEMA public TO scribemed_app, scribemed_reporting;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO scribemed_app;
REVOKE UPDATE, DELETE ON audit_logs FROM scribemed_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO scribemed_app;
GRANT SELECT ON organizations, encounters, notes, provider_workload TO scribemed_reporting;
