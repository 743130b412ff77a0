-- make
CREATE SCHEMA clinic;
CREATE TABLE clinic.visits (
    id bigint PRIMARY KEY, patient int, device text, kind text, active bool, context jsonb, at timestamptz
) WITH (autovacuum_enabled = off);
CREATE INDEX visits_patient_at ON clinic.visits (patient, at);
CREATE INDEX visits_device ON clinic.visits (device);
CREATE INDEX visits_kind ON clinic.visits (kind);
CREATE INDEX visits_active ON clinic.visits (patient) WHERE active;
CREATE INDEX visits_lower ON clinic.visits (lower(device), patient DESC);
CREATE INDEX visits_context ON clinic.visits USING gin (context jsonb_path_ops);

-- fill
INSERT INTO clinic.visits
SELECT
    n, mod(mod(n, 5000) * 7919, 5000), md5(n::text), 'kind ' || mod(n, 8), mod(n, 5) = 0,
    jsonb_build_object('step', mod(n, 50), 'room', mod(n, 300)), now()
FROM generate_series(1, 40000) AS n;
-- Updates of indexed columns, a scattered delete, and what VACUUM leaves of them.
UPDATE clinic.visits
SET patient = patient + 1, device = md5(device), kind = 'kind ' || mod(patient, 8), at = now()
WHERE mod(id, 3) <> 0;
UPDATE clinic.visits
SET patient = patient + 1, device = md5(device), active = NOT active, context = context || '{"seen": 1}'
WHERE mod(id, 2) = 0;
DELETE FROM clinic.visits WHERE mod(id, 5) < 2;
VACUUM ANALYZE clinic.visits;
