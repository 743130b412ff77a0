-- VaxTrace: vaccine stock of many facilities, seen from a national dashboard.
-- Loaded as the owner, vaxtrace_owner, and correct on PostgreSQL 15 to 18. The guide's tables and its example of each
-- kind of index; the queries of its monitoring chapter, most of which no longer run, belong to nobody's schema.

CREATE TYPE stock_status AS ENUM ('stockout', 'low', 'adequate', 'overstock');
CREATE TYPE alert_severity AS ENUM ('info', 'warning', 'critical');
CREATE DOMAIN degrees_celsius AS numeric(5, 2) CHECK (VALUE BETWEEN -90 AND 60);

CREATE TABLE schema_migrations (
    id serial PRIMARY KEY,
    name varchar(255) NOT NULL UNIQUE,
    checksum varchar(64) NOT NULL,
    applied_at timestamp NOT NULL DEFAULT now()
);
INSERT INTO schema_migrations (name, checksum)
SELECT name, encode(sha256(name::bytea), 'hex')
FROM unnest(ARRAY['001_initial_schema.sql', '002_performance_indexes.sql', '003_advanced_indexes.sql']) AS m (name);

CREATE TABLE facilities (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code varchar(16) NOT NULL UNIQUE,
    name text NOT NULL,
    zone text NOT NULL,
    state text NOT NULL,
    level text NOT NULL CHECK (level IN ('national', 'zonal', 'state', 'district', 'clinic')),
    parent_id integer REFERENCES facilities (id),
    cold_chain text[] NOT NULL DEFAULT '{}',
    position point,
    profile jsonb NOT NULL DEFAULT '{}',
    is_active boolean NOT NULL DEFAULT true
);
CREATE INDEX idx_facilities_parent ON facilities (parent_id);
CREATE INDEX idx_facilities_state ON facilities (state, level);
CREATE INDEX idx_facilities_cold_chain ON facilities USING gin (cold_chain);
-- A state lies in exactly one zone: without this the planner multiplies two conditions that are one.
CREATE STATISTICS facilities_zone_state (dependencies, ndistinct) ON zone, state FROM facilities;

CREATE TABLE vaccines (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code varchar(12) NOT NULL UNIQUE,
    name text NOT NULL,
    doses_per_vial smallint NOT NULL CHECK (doses_per_vial > 0),
    shelf_life interval NOT NULL,
    storage_range numrange NOT NULL
);

-- By month. No default partition on purpose: a month that nobody prepared is an error at once, and months can leave
-- with DETACH ... CONCURRENTLY.
CREATE TABLE stock_snapshots (
    facility_id integer NOT NULL REFERENCES facilities (id),
    vaccine_id integer NOT NULL REFERENCES vaccines (id),
    snapshot_date date NOT NULL,
    quantity_on_hand integer NOT NULL CHECK (quantity_on_hand >= 0),
    quantity_issued integer NOT NULL DEFAULT 0 CHECK (quantity_issued >= 0),
    months_of_stock numeric(5, 2),
    stock_status stock_status NOT NULL,
    batch_numbers text[],
    reported_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (facility_id, vaccine_id, snapshot_date)
) PARTITION BY RANGE (snapshot_date);
CREATE INDEX idx_stock_snapshots_facility_status_date
    ON stock_snapshots (facility_id, stock_status, snapshot_date DESC);
CREATE INDEX idx_stock_snapshots_facility_vaccine_covering
    ON stock_snapshots (facility_id, vaccine_id)
    INCLUDE (quantity_on_hand, months_of_stock, stock_status, snapshot_date);
-- Corrected: "most selective column first" is not how an index is used; who is out of what today starts at the status.
CREATE INDEX idx_stock_snapshots_stockouts ON stock_snapshots (snapshot_date, vaccine_id)
    WHERE stock_status = 'stockout';

CREATE FUNCTION prepare_stock_months(first_month date, months integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    starts date;
    made integer := 0;
BEGIN
    FOR step IN 0 .. months - 1 LOOP
        starts := (date_trunc('month', first_month) + make_interval(months => step))::date;
        CONTINUE WHEN to_regclass(format('public.stock_snapshots_%s', to_char(starts, 'YYYY_MM'))) IS NOT NULL;
        EXECUTE format('CREATE TABLE public.stock_snapshots_%s PARTITION OF public.stock_snapshots'
                       ' FOR VALUES FROM (%L) TO (%L)',
                       to_char(starts, 'YYYY_MM'), starts, (starts + interval '1 month')::date);
        made := made + 1;
    END LOOP;
    RETURN made;
END
$$;
COMMENT ON FUNCTION prepare_stock_months IS 'Makes the monthly partitions from first_month on that do not exist yet.';
SELECT prepare_stock_months(current_date, 3);

CREATE TABLE alerts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    facility_id integer NOT NULL REFERENCES facilities (id),
    vaccine_id integer REFERENCES vaccines (id),
    severity alert_severity NOT NULL,
    kind text NOT NULL CHECK (kind IN ('stockout', 'low_stock', 'expiry', 'temperature', 'no_report')),
    message text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    acknowledged_at timestamptz,
    resolved_at timestamptz,
    CHECK (resolved_at >= created_at)
);
CREATE INDEX idx_alerts_critical ON alerts (facility_id, created_at DESC)
    WHERE severity = 'critical' AND resolved_at IS NULL;
CREATE INDEX idx_alerts_vaccine ON alerts (vaccine_id);

CREATE TABLE shipments (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    from_facility integer NOT NULL REFERENCES facilities (id),
    to_facility integer NOT NULL REFERENCES facilities (id),
    vaccine_id integer NOT NULL REFERENCES vaccines (id),
    quantity integer NOT NULL CHECK (quantity > 0),
    dispatched_on date NOT NULL,
    arrived_on date,
    delay integer GENERATED ALWAYS AS (arrived_on - dispatched_on) STORED,
    CHECK (from_facility <> to_facility),
    CHECK (arrived_on >= dispatched_on)
);
CREATE INDEX idx_shipments_to ON shipments (to_facility, dispatched_on DESC);

-- Append-only, so that BRIN on the time is nearly free; the rows lie on disk in the order of their time.
CREATE TABLE audit_logs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    actor text NOT NULL,
    action text NOT NULL,
    entity text NOT NULL,
    entity_id text,
    changes jsonb,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_audit_logs_brin_timestamp ON audit_logs USING brin (created_at);

CREATE TABLE telemetry (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    facility_id integer NOT NULL REFERENCES facilities (id),
    sensor text NOT NULL,
    temperature degrees_celsius NOT NULL,
    humidity real CHECK (humidity BETWEEN 0 AND 100),
    door_open boolean NOT NULL DEFAULT false,
    recorded_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_telemetry_brin_recorded ON telemetry USING brin (recorded_at);
CREATE INDEX idx_telemetry_facility_recorded ON telemetry (facility_id, recorded_at DESC);

-- A delivery that arrives writes its own audit line.
CREATE FUNCTION log_shipment_arrival() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.audit_logs (actor, action, entity, entity_id, changes)
    VALUES (session_user, 'arrived', 'shipment', NEW.id::text, jsonb_build_object('delay', NEW.arrived_on - NEW.dispatched_on));
    RETURN NULL;
END
$$;
CREATE TRIGGER shipments_arrival AFTER UPDATE OF arrived_on ON shipments
    FOR EACH ROW WHEN (OLD.arrived_on IS NULL AND NEW.arrived_on IS NOT NULL)
    EXECUTE FUNCTION log_shipment_arrival();

CREATE VIEW current_stockouts AS
    SELECT f.zone, f.state, f.name AS facility, v.code AS vaccine, s.snapshot_date
    FROM stock_snapshots AS s
    JOIN facilities AS f ON f.id = s.facility_id
    JOIN vaccines AS v ON v.id = s.vaccine_id
    WHERE s.stock_status = 'stockout' AND s.snapshot_date >= current_date - 7;

CREATE VIEW zone_summary AS
    SELECT zone, count(*) AS stockouts, count(DISTINCT state) AS states, count(DISTINCT facility) AS facilities
    FROM current_stockouts
    GROUP BY zone;

CREATE MATERIALIZED VIEW monthly_consumption AS
    SELECT vaccine_id, date_trunc('month', snapshot_date)::date AS month, sum(quantity_issued) AS issued
    FROM stock_snapshots
    GROUP BY 1, 2
    WITH NO DATA;
CREATE UNIQUE INDEX idx_monthly_consumption_key ON monthly_consumption (vaccine_id, month);

GRANT USAGE ON SCHEMA public TO vaxtrace_app, vaxtrace_dashboard;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO vaxtrace_app;
REVOKE INSERT, UPDATE, DELETE ON schema_migrations, monthly_consumption FROM vaxtrace_app;
REVOKE UPDATE, DELETE ON audit_logs FROM vaxtrace_app;
GRANT SELECT ON facilities, vaccines, alerts, current_stockouts, zone_summary, monthly_consumption TO vaxtrace_dashboard;
-- Partitions that are made later are reached through their parent, whose rights count.
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO vaxtrace_app;
