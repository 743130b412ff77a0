CREATE TABLE clinic.rooms (id int PRIMARY KEY, name text);
CREATE TABLE clinic.stays (
    id int PRIMARY KEY, room int REFERENCES clinic.rooms, patient int, note text, closed bool, at timestamptz, facts jsonb
);
INSERT INTO clinic.rooms SELECT n, 'room' FROM generate_series(1, 300) AS n;
INSERT INTO clinic.stays
SELECT
    n, mod(n, 300) + 1, mod(n, 4000), md5(n::text), mod(n, 50) <> 0,
    timestamptz '2026-01-01' + n * interval '1 minute', jsonb_build_object('step', mod(n, 900))
FROM generate_series(1, 30000) AS n;
CREATE INDEX stays_at ON clinic.stays (at);
CREATE INDEX stays_at_again ON clinic.stays (at);
CREATE INDEX stays_note ON clinic.stays (note);
CREATE INDEX stays_note_at ON clinic.stays (note, at);
ANALYZE;
