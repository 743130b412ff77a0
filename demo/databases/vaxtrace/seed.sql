-- VaxTrace. Facility 1 is the national store, 2 to 7 are the zones', 8 to 43 the states', the rest are districts' and clinics.
-- Amounts: facilities, days, snapshot_every, readings, audit_lines, alerts.

SELECT prepare_stock_months(pg_temp.today() - pg_temp.amount('days'), pg_temp.amount('days') / 30 + 4);

INSERT INTO vaccines (code, name, doses_per_vial, shelf_life, storage_range)
SELECT 'VX' || lpad(i::text, 2, '0'), 'Demonstration vaccine ' || chr(64 + i), (ARRAY[1, 5, 10, 20])[1 + i % 4],
       make_interval(months => 12 + 6 * (i % 4)), CASE WHEN i % 5 = 0 THEN numrange(-25, -15) ELSE numrange(2, 8) END
FROM generate_series(1, 10) AS i
ORDER BY i;

INSERT INTO facilities (code, name, zone, state, level, parent_id, cold_chain, position, profile, is_active)
SELECT 'F' || lpad(i::text, 5, '0'), 'Facility ' || lpad(i::text, 4, '0') || ' ' || pg_temp.last_name(i),
       'Zone ' || chr(65 + (i % 36) / 6), 'State ' || lpad((i % 36 + 1)::text, 2, '0'),
       CASE WHEN i = 1 THEN 'national' WHEN i <= 7 THEN 'zonal' WHEN i <= 43 THEN 'state' WHEN i % 8 = 0 THEN 'district' ELSE 'clinic' END,
       CASE WHEN i = 1 THEN NULL WHEN i <= 7 THEN 1 WHEN i <= 43 THEN 2 + i % 6 ELSE 8 + i % 36 END,
       CASE WHEN i <= 43 THEN '{freezer,fridge,cold_room}'::text[] WHEN i % 3 = 0 THEN '{fridge,solar}' ELSE '{fridge}' END,
       CASE WHEN i % 20 > 0 THEN point(4 + 9 * pg_temp.dice(i, 1), 3 + 11 * pg_temp.dice(i, 2)) END,
       CASE WHEN i % 4 = 0 THEN jsonb_build_object('beds', i % 90, 'power', jsonb_build_object('grid', i % 3 > 0, 'hours', i % 24)) ELSE '{}' END,
       pg_temp.dice(i, 3) < 0.97
FROM generate_series(1, pg_temp.amount('facilities')) AS i
ORDER BY i;

-- Small clinics run out, stores seldom do; stock falls between deliveries, which come every five weeks or so.
WITH snapshot AS (
    SELECT f.id AS facility, v.id AS vaccine, ago,
           (f.id::bigint * 64 + v.id) * 4096 + ago AS k,
           CASE WHEN f.id = 1 THEN 200000 WHEN f.id <= 7 THEN 40000 WHEN f.id <= 43 THEN 6000 ELSE 120 END AS usual,
           1.25 - ((pg_temp.amount('days') - ago + f.id * 5 + v.id * 11) % 35) / 30.0 AS filled
    FROM generate_series(pg_temp.amount('days'), 1, -pg_temp.amount('snapshot_every')) AS ago
    CROSS JOIN facilities AS f
    CROSS JOIN vaccines AS v
    WHERE pg_temp.dice(f.id * 4096 + ago, 10) < CASE WHEN f.is_active THEN 0.96 ELSE 0.2 END
), counted AS (
    SELECT *, floor(greatest(0, usual * (filled + 0.22 * pg_temp.bell(k, 20))))::integer AS quantity FROM snapshot
)
INSERT INTO stock_snapshots (facility_id, vaccine_id, snapshot_date, quantity_on_hand, quantity_issued, months_of_stock,
                             stock_status, batch_numbers, reported_at)
SELECT facility, vaccine, pg_temp.today() - ago, quantity, floor(usual / 30.0 * pg_temp.dice(k, 24))::integer,
       CASE WHEN k % 50 > 0 THEN least(999, round((quantity / greatest(1.0, usual))::numeric, 2)) END,
       (CASE WHEN quantity = 0 THEN 'stockout' WHEN quantity < usual * 0.3 THEN 'low'
             WHEN quantity > usual * 1.3 THEN 'overstock' ELSE 'adequate' END)::stock_status,
       CASE WHEN k % 3 = 0 THEN ARRAY['B' || k % 900, 'B' || k % 800] END,
       pg_temp.today() - ago + interval '17 hours' + interval '1 minute' * (k % 200)
FROM counted
ORDER BY ago DESC, facility, vaccine;

INSERT INTO alerts (facility_id, vaccine_id, severity, kind, message, created_at, acknowledged_at, resolved_at)
SELECT f, CASE WHEN kind IN ('temperature', 'no_report') THEN NULL ELSE 1 + i % 10 END,
       (CASE WHEN kind IN ('stockout', 'temperature') THEN 'critical' WHEN kind = 'no_report' THEN 'info' ELSE 'warning' END)::alert_severity,
       kind, 'Facility ' || f || ': ' || replace(kind, '_', ' '), created,
       CASE WHEN i % 5 > 0 THEN created + interval '40 minutes' END,
       CASE WHEN pg_temp.dice(i, 30) < 0.94 THEN created + interval '1 hour' * (1 + floor(90 * power(pg_temp.dice(i, 31), 2))) END
FROM generate_series(1, pg_temp.amount('alerts')) AS i
CROSS JOIN LATERAL (
    SELECT pg_temp.skewed(i, 32, pg_temp.amount('facilities')) AS f,
           pg_temp.one_of('{stockout,low_stock,low_stock,expiry,temperature,no_report}', pg_temp.dice(i, 33)) AS kind,
           pg_temp.today() - interval '5 days'
               - interval '1 day' * floor(pg_temp.amount('days') * (1 - i::double precision / pg_temp.amount('alerts')))
               + pg_temp.hour_of_day(i, 34) AS created) AS a
ORDER BY i;

INSERT INTO shipments (id, from_facility, to_facility, vaccine_id, quantity, dispatched_on, arrived_on)
SELECT pg_temp.uuid_of('shipment', i), f.parent_id, f.id, (1 + i % 10)::integer, (50 + i % 400)::integer, sent,
       CASE WHEN sent < pg_temp.today() - 9 OR i % 3 = 0 THEN sent + floor(9 * pg_temp.dice(i, 40))::integer END
FROM generate_series(1, pg_temp.amount('facilities') * 12) AS i
JOIN facilities AS f ON f.id = 2 + i % (pg_temp.amount('facilities') - 1)
CROSS JOIN LATERAL (SELECT pg_temp.today() - (i * 7 % pg_temp.amount('days'))::integer - 1 AS sent) AS s
ORDER BY sent, i;

INSERT INTO audit_logs (actor, action, entity, entity_id, changes, created_at)
SELECT 'officer' || pg_temp.skewed(i, 50, 200), pg_temp.one_of('{viewed,viewed,updated,exported,approved}', pg_temp.dice(i, 51)),
       pg_temp.one_of('{stock,stock,facility,alert,shipment}', pg_temp.dice(i, 52)), CASE WHEN i % 9 > 0 THEN (i % 5000)::text END,
       CASE WHEN i % 3 = 0 THEN jsonb_build_object('quantity', jsonb_build_object('from', i % 100, 'to', i % 90)) END,
       pg_temp.today() - interval '1 day' * (pg_temp.amount('days') * (1 - (i - 1)::double precision / pg_temp.amount('audit_lines')))
FROM generate_series(1, pg_temp.amount('audit_lines')) AS i
ORDER BY i;

-- Warmer in the afternoon, now and then a door stays open.
INSERT INTO telemetry (facility_id, sensor, temperature, humidity, door_open, recorded_at)
SELECT f, 'probe-' || i % 3,
       round((5 + 1.2 * sin((extract(hour FROM at)::integer - 9) / 24.0 * 6.2832) + 0.8 * pg_temp.bell(i, 60)
              + CASE WHEN open THEN 4 ELSE 0 END)::numeric, 2),
       CASE WHEN i % 12 > 0 THEN round(pg_temp.clamp(55 + 9 * pg_temp.bell(i, 64), 0, 100)::numeric, 1) END, open, at
FROM generate_series(1, pg_temp.amount('readings')) AS i
CROSS JOIN LATERAL (
    SELECT 1 + floor(pg_temp.dice(i, 68) * pg_temp.amount('facilities'))::integer AS f, pg_temp.dice(i, 69) < 0.01 AS open,
           pg_temp.today() - interval '1 day' * (least(120, pg_temp.amount('days')) * (1 - (i - 1)::double precision / pg_temp.amount('readings'))) AS at) AS t
ORDER BY i;

REFRESH MATERIALIZED VIEW monthly_consumption;
