-- HealthMate: a health companion that keeps measurements, symptoms, medication, goals, alerts and conversations.
-- Loaded as the owner, healthmate_owner, and correct on PostgreSQL 15 to 18.
--
-- Delivered before the team's migrations ran: none of the 16 index migrations, and none of the 4 constraint migrations
-- (confidence 0.0 to 1.0, pain level 0 to 10, effectiveness 1 to 10, progress 0.0 to 100.0). The seed therefore holds a
-- few rows that break those four rules, as a database does that grew without them. The summary says what was done but
-- has no SQL, so nothing of it had to be corrected.

CREATE TYPE alert_level AS ENUM ('info', 'low', 'medium', 'high', 'critical');

CREATE TABLE users (
    id serial PRIMARY KEY,
    email varchar(255) NOT NULL,
    hashed_password varchar(255) NOT NULL,
    full_name varchar(200) NOT NULL,
    role varchar(20) NOT NULL DEFAULT 'patient',
    phone varchar(32),
    date_of_birth date,
    is_active boolean NOT NULL DEFAULT true,
    settings jsonb,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE health_data (
    id bigserial PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    data_type varchar(40) NOT NULL,
    value double precision NOT NULL,
    unit varchar(16),
    confidence double precision,
    source varchar(40),
    notes text,
    timestamp timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN health_data.confidence IS 'Meant to lie between 0.0 and 1.0; nothing enforces it yet.';

CREATE TABLE symptom_logs (
    id serial PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    symptom varchar(80) NOT NULL,
    severity varchar(12) NOT NULL,
    pain_level integer,
    triggers text[],
    description text,
    timestamp timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE medication_logs (
    id serial PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    medication_name varchar(120) NOT NULL,
    dosage varchar(40),
    frequency varchar(40),
    effectiveness integer,
    side_effects text,
    taken_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE health_goals (
    id serial PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    goal_type varchar(40) NOT NULL,
    target_value double precision,
    progress double precision NOT NULL DEFAULT 0,
    is_active boolean NOT NULL DEFAULT true,
    deadline date,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE health_alerts (
    id serial PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    level alert_level NOT NULL,
    message text NOT NULL,
    context jsonb,
    acknowledged boolean NOT NULL DEFAULT false,
    triggered_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE conversations (
    id bigserial PRIMARY KEY,
    user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    agent varchar(40) NOT NULL,
    prompt text NOT NULL,
    response text NOT NULL,
    feedback smallint,
    metadata json,
    timestamp timestamptz NOT NULL DEFAULT now()
);

-- The team's own monitoring and audit tables; both only ever grow.
CREATE TABLE performance_metrics (
    id bigserial PRIMARY KEY,
    metric_name varchar(80) NOT NULL,
    metric_value double precision NOT NULL,
    tags jsonb,
    recorded_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE audit_logs (
    id bigserial PRIMARY KEY,
    user_id integer REFERENCES users (id) ON DELETE SET NULL,
    action varchar(60) NOT NULL,
    detail jsonb,
    occurred_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE database_migrations (
    id serial PRIMARY KEY,
    migration_name varchar(255) NOT NULL UNIQUE,
    applied_at timestamptz NOT NULL DEFAULT now(),
    rollback_sql text,
    status varchar(20) NOT NULL DEFAULT 'completed' CHECK (status IN ('pending', 'completed', 'failed', 'rolled_back'))
);
INSERT INTO database_migrations (migration_name, rollback_sql) VALUES ('000_first_tables', NULL);

CREATE VIEW latest_readings AS
    SELECT DISTINCT ON (user_id, data_type) user_id, data_type, value, unit, timestamp
    FROM health_data
    ORDER BY user_id, data_type, timestamp DESC;

GRANT USAGE ON SCHEMA public TO healthmate_app, healthmate_researcher;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO healthmate_app;
REVOKE UPDATE, DELETE ON audit_logs FROM healthmate_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO healthmate_app;
-- Researchers see measurements, never who they belong to beyond a number.
GRANT SELECT (id, role, date_of_birth, created_at) ON users TO healthmate_researcher;
GRANT SELECT ON health_data, symptom_logs, health_goals TO healthmate_researcher;
