-- Keep Going Care: patients score three habits a day, doctors watch, an assistant remembers.
-- Loaded as the owner, kgc_owner, and correct on PostgreSQL 15 to 18. "Corrected" marks what the team's guide wrote
-- differently and a modern server refuses or misreads.

CREATE TYPE user_role AS ENUM ('patient', 'doctor', 'admin');
CREATE DOMAIN unique_identification_number AS text CHECK (VALUE ~ '^KGC-[A-Z]{2}-[0-9]{6}$');

-- Core -------------------------------------------------------------------------------------------------------------

CREATE TABLE roles (
    id serial PRIMARY KEY,
    name user_role NOT NULL UNIQUE,
    description text NOT NULL,
    rights text[] NOT NULL DEFAULT '{}'
);

CREATE TABLE users (
    id serial PRIMARY KEY,
    uin unique_identification_number NOT NULL CONSTRAINT users_uin_key UNIQUE,
    username varchar(60) NOT NULL CONSTRAINT users_username_key UNIQUE,
    email varchar(255) NOT NULL,
    password_hash text NOT NULL,
    role user_role NOT NULL DEFAULT 'patient' REFERENCES roles (name) ON UPDATE CASCADE,
    display_name text NOT NULL,
    phone varchar(32),
    locale varchar(10) NOT NULL DEFAULT 'en-AU',
    is_active boolean NOT NULL DEFAULT true,
    preferences jsonb NOT NULL DEFAULT '{}',
    last_login_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
-- People type their address in any case, so the address is unique in lower case: an index on an expression.
CREATE UNIQUE INDEX users_email_lower_key ON users (lower(email));
CREATE INDEX users_role_idx ON users (role) WHERE is_active;

CREATE TABLE system_settings (
    id serial PRIMARY KEY,
    key varchar(80) NOT NULL UNIQUE,
    value jsonb NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE user_sessions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_digest bytea NOT NULL UNIQUE,
    ip_address inet,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    CHECK (expires_at > created_at)
);
CREATE INDEX user_sessions_user_id_idx ON user_sessions (user_id);

-- Relationships ----------------------------------------------------------------------------------------------------

CREATE TABLE doctor_patients (
    id serial PRIMARY KEY,
    doctor_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    patient_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    active boolean NOT NULL DEFAULT true,
    since date NOT NULL DEFAULT current_date,
    UNIQUE (doctor_id, patient_id),
    CHECK (doctor_id <> patient_id)
);
CREATE INDEX doctor_patients_patient_id_idx ON doctor_patients (patient_id) WHERE active;

CREATE TABLE invitations (
    id serial PRIMARY KEY,
    doctor_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    email varchar(255) NOT NULL,
    status text NOT NULL DEFAULT 'sent',
    code char(12) NOT NULL UNIQUE,
    sent_at timestamptz NOT NULL DEFAULT now(),
    answered_at timestamptz,
    CONSTRAINT invitations_status_check CHECK (status IN ('sent', 'accepted', 'declined', 'expired')),
    CONSTRAINT invitations_answer_check CHECK ((status IN ('accepted', 'declined')) = (answered_at IS NOT NULL))
);
CREATE INDEX invitations_doctor_id_idx ON invitations (doctor_id);

-- Health data ------------------------------------------------------------------------------------------------------

-- As the guide's example declares it, `timestamp` without a zone included: the text asks for a zone, the code has none,
-- and the team's rows are UTC.
CREATE TABLE health_metrics (
    id serial PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users (id),
    date timestamp NOT NULL DEFAULT now(),
    medication_score real NOT NULL,
    diet_score real NOT NULL,
    exercise_score real NOT NULL,
    CONSTRAINT medication_score_check CHECK (medication_score BETWEEN 0 AND 100),
    CONSTRAINT diet_score_check CHECK (diet_score BETWEEN 0 AND 100),
    CONSTRAINT exercise_score_check CHECK (exercise_score BETWEEN 0 AND 100)
);
CREATE INDEX health_metrics_user_date_idx ON health_metrics (user_id, date);
COMMENT ON TABLE health_metrics IS 'One row for each day a patient reported; three scores from 0 to 100.';
COMMENT ON COLUMN health_metrics.date IS 'UTC, although the type does not say so.';

CREATE TABLE care_plan_directives (
    id serial PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    doctor_id integer REFERENCES users (id) ON DELETE SET NULL,
    category text NOT NULL,
    directive text NOT NULL,
    target_score real,
    active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT care_plan_directives_category_check CHECK (category IN ('medication', 'diet', 'exercise', 'sleep')),
    CONSTRAINT care_plan_directives_target_check CHECK (target_score BETWEEN 0 AND 100)
);
CREATE INDEX care_plan_directives_active_idx ON care_plan_directives (user_id, category) WHERE active;
CREATE INDEX care_plan_directives_doctor_id_idx ON care_plan_directives (doctor_id);

CREATE TABLE progress_milestones (
    id serial PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    title text NOT NULL,
    badge text,
    progress numeric(5, 2) NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
    reached boolean GENERATED ALWAYS AS (progress >= 100) STORED,
    due_on date,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX progress_milestones_user_id_idx ON progress_milestones (user_id);

CREATE TABLE recommendations (
    id serial PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    metric_id integer REFERENCES health_metrics (id) ON DELETE SET NULL,
    category text NOT NULL,
    body text NOT NULL,
    evidence jsonb NOT NULL DEFAULT '{}',
    seen_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX recommendations_user_created_idx ON recommendations (user_id, created_at DESC);
CREATE INDEX recommendations_metric_id_idx ON recommendations (metric_id) WHERE metric_id IS NOT NULL;
CREATE INDEX recommendations_evidence_idx ON recommendations USING gin (evidence jsonb_path_ops);

-- Memory and assistant ---------------------------------------------------------------------------------------------

CREATE TABLE chat_memory (
    id serial PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users (id),
    memory_system text NOT NULL DEFAULT 'semantic',
    type text NOT NULL,
    content text NOT NULL,
    context json,
    importance real DEFAULT 0.5,
    embeddings text,
    last_accessed timestamp,
    access_count integer DEFAULT 0,
    expires_at timestamp,
    created_at timestamp NOT NULL DEFAULT now(),
    CONSTRAINT chat_memory_system_check CHECK (memory_system IN ('semantic', 'procedural', 'episodic')),
    CONSTRAINT chat_memory_importance_check CHECK (importance BETWEEN 0 AND 1)
);
CREATE INDEX chat_memory_user_id_idx ON chat_memory (user_id);
CREATE INDEX chat_memory_type_idx ON chat_memory (type);
CREATE INDEX chat_memory_user_type_idx ON chat_memory (user_id, type);
-- Corrected: the guide's predicate asks for the clock, which an index predicate may not do (42P17: functions in index
-- predicate must be marked IMMUTABLE). The expiry becomes a key instead, and the query compares it with the clock.
CREATE INDEX chat_memory_active_idx ON chat_memory (user_id, expires_at, importance);
-- Corrected: GIN knows neither json nor text (42704). The part that is searched is indexed as jsonb; `->` keeps the
-- array, where `->>` would have made one long text of it.
CREATE INDEX chat_memory_context_topics_idx ON chat_memory
    USING gin (((context -> 'relatedTopics')::jsonb) jsonb_path_ops);

CREATE TABLE feature_usage (
    id serial PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    feature text NOT NULL,
    used_at timestamptz NOT NULL DEFAULT now(),
    duration interval,
    detail jsonb
);
CREATE INDEX feature_usage_user_id_idx ON feature_usage (user_id);
CREATE INDEX feature_usage_used_at_idx ON feature_usage USING brin (used_at);

CREATE TABLE user_favourites (
    id serial PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    content_kind text NOT NULL CHECK (content_kind IN ('recipe', 'exercise', 'article', 'place')),
    content_key varchar(80) NOT NULL,
    note text,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, content_kind, content_key)
);

CREATE TABLE role_changes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    old_role user_role NOT NULL,
    new_role user_role NOT NULL,
    changed_by text NOT NULL DEFAULT session_user,
    changed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX role_changes_user_id_idx ON role_changes (user_id);

-- Functions and triggers -------------------------------------------------------------------------------------------

CREATE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END
$$;
CREATE TRIGGER care_plan_directives_touch BEFORE UPDATE ON care_plan_directives
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER system_settings_touch BEFORE UPDATE ON system_settings
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();

CREATE FUNCTION record_role_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO role_changes (user_id, old_role, new_role) VALUES (NEW.id, OLD.role, NEW.role);
    RETURN NULL;
END
$$;
CREATE TRIGGER users_role_change AFTER UPDATE OF role ON users
    FOR EACH ROW WHEN (OLD.role IS DISTINCT FROM NEW.role) EXECUTE FUNCTION record_role_change();

CREATE FUNCTION overall_score(medication real, diet real, exercise real) RETURNS real
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (medication + diet + exercise) / 3;

-- Row-level security -----------------------------------------------------------------------------------------------
-- Corrected: the guide's setting ends in a reserved word (`SET app.` with `current_role` is a syntax error, 42601); it
-- is app.role here. current_setting() without its second argument fails where nothing was set (42704), and a setting
-- that was local to a transaction reads as '' afterwards, which no cast accepts: so missing_ok, and nullif().

CREATE FUNCTION acting_user() RETURNS integer LANGUAGE sql STABLE PARALLEL SAFE
    RETURN nullif(current_setting('app.user_id', true), '')::integer;
CREATE FUNCTION acts_as(wanted user_role) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(current_setting('app.role', true) = wanted::text, false);

ALTER TABLE health_metrics ENABLE ROW LEVEL SECURITY;
ALTER TABLE chat_memory ENABLE ROW LEVEL SECURITY;
ALTER TABLE care_plan_directives ENABLE ROW LEVEL SECURITY;
ALTER TABLE recommendations ENABLE ROW LEVEL SECURITY;

-- Corrected: the guide lets a patient only read, so that no patient could ever report a score.
CREATE POLICY patient_health_metrics ON health_metrics
    FOR SELECT USING (acts_as('patient') AND user_id = acting_user());
CREATE POLICY patient_reports_health_metrics ON health_metrics
    FOR INSERT WITH CHECK (acts_as('patient') AND user_id = acting_user());
CREATE POLICY doctor_health_metrics ON health_metrics
    FOR SELECT USING (acts_as('doctor') AND user_id IN (
        SELECT patient_id FROM doctor_patients WHERE doctor_id = acting_user() AND active));
CREATE POLICY admin_health_metrics ON health_metrics FOR ALL USING (acts_as('admin'));

-- A memory of a conversation is the patient's alone; not even the doctor reads it.
CREATE POLICY patient_chat_memory ON chat_memory USING (acts_as('patient') AND user_id = acting_user());
CREATE POLICY admin_chat_memory ON chat_memory USING (acts_as('admin'));

CREATE POLICY patient_directives ON care_plan_directives
    FOR SELECT USING (acts_as('patient') AND user_id = acting_user());
CREATE POLICY doctor_directives ON care_plan_directives USING (acts_as('doctor') AND user_id IN (
    SELECT patient_id FROM doctor_patients WHERE doctor_id = acting_user() AND active));
CREATE POLICY admin_directives ON care_plan_directives USING (acts_as('admin'));

CREATE POLICY patient_recommendations ON recommendations USING (acts_as('patient') AND user_id = acting_user());
CREATE POLICY doctor_recommendations ON recommendations
    FOR SELECT USING (acts_as('doctor') AND user_id IN (
        SELECT patient_id FROM doctor_patients WHERE doctor_id = acting_user() AND active));
CREATE POLICY admin_recommendations ON recommendations USING (acts_as('admin'));

-- Analytics --------------------------------------------------------------------------------------------------------

CREATE SCHEMA analytics;
COMMENT ON SCHEMA analytics IS 'What reports read: nothing here names a person.';

CREATE MATERIALIZED VIEW analytics.monthly_progress AS
    SELECT user_id,
           date_trunc('month', date)::date AS month,
           count(*)::integer AS reports,
           avg(medication_score)::numeric(5, 2) AS medication,
           avg(diet_score)::numeric(5, 2) AS diet,
           avg(exercise_score)::numeric(5, 2) AS exercise,
           avg(overall_score(medication_score, diet_score, exercise_score))::numeric(5, 2) AS overall
    FROM health_metrics
    GROUP BY 1, 2
    WITH NO DATA;
CREATE UNIQUE INDEX monthly_progress_key ON analytics.monthly_progress (user_id, month);

CREATE VIEW analytics.doctor_caseload WITH (security_invoker = true) AS
    SELECT d.doctor_id, count(*) FILTER (WHERE d.active) AS patients, min(d.since) AS since
    FROM doctor_patients AS d
    GROUP BY d.doctor_id;

-- What the application may do --------------------------------------------------------------------------------------

GRANT USAGE ON SCHEMA public, analytics TO kgc_app, kgc_reporting;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO kgc_app;
REVOKE INSERT, UPDATE, DELETE ON role_changes FROM kgc_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO kgc_app;
GRANT SELECT ON ALL TABLES IN SCHEMA analytics TO kgc_app, kgc_reporting;
GRANT SELECT ON doctor_patients, feature_usage TO kgc_reporting;
