-- A day of stock keeping, seen from clinics and from the national dashboard.

-- pick: facility
SELECT id AS facility_id, state, zone FROM facilities WHERE is_active ORDER BY md5(id::text) LIMIT 200;

-- pick: vaccine
SELECT id AS vaccine_id FROM vaccines ORDER BY id;

-- action: current_stock weight: 16
SELECT quantity_on_hand, months_of_stock, stock_status, snapshot_date FROM stock_snapshots
WHERE facility_id = %(facility_id)s AND vaccine_id = %(vaccine_id)s AND snapshot_date > current_date - 60
ORDER BY snapshot_date DESC LIMIT 10;

-- action: stockouts_of_a_facility weight: 8
SELECT vaccine_id, snapshot_date FROM stock_snapshots
WHERE facility_id = %(facility_id)s AND stock_status = 'stockout' ORDER BY snapshot_date DESC LIMIT 20;

-- action: national_dashboard weight: 3
SELECT zone, stockouts, states, facilities FROM zone_summary ORDER BY stockouts DESC;

-- action: facilities_of_a_state weight: 3
SELECT id, name, level FROM facilities WHERE state = %(state)s AND zone = %(zone)s ORDER BY level, name;

-- action: report_stock weight: 14
INSERT INTO stock_snapshots (facility_id, vaccine_id, snapshot_date, quantity_on_hand, quantity_issued, months_of_stock, stock_status)
VALUES (%(facility_id)s, %(vaccine_id)s, current_date, %(number)s, 3, 1.2, 'adequate')
ON CONFLICT (facility_id, vaccine_id, snapshot_date)
DO UPDATE SET quantity_on_hand = excluded.quantity_on_hand, reported_at = now();
INSERT INTO audit_logs (actor, action, entity, entity_id) VALUES ('officer1', 'updated', 'stock', %(facility_id)s::text);

-- action: send_telemetry weight: 24
INSERT INTO telemetry (facility_id, sensor, temperature, humidity)
VALUES (%(facility_id)s, 'probe-1', 4 + %(roll)s, %(score)s);

-- action: temperatures_of_a_day weight: 6
SELECT date_trunc('hour', recorded_at) AS hour, min(temperature), max(temperature) FROM telemetry
WHERE facility_id = %(facility_id)s AND recorded_at > now() - interval '24 hours' GROUP BY 1 ORDER BY 1;

-- action: critical_alerts weight: 10
SELECT id, kind, message, created_at FROM alerts
WHERE facility_id = %(facility_id)s AND severity = 'critical' AND resolved_at IS NULL ORDER BY created_at DESC;

-- action: raise_alert weight: 3
INSERT INTO alerts (facility_id, vaccine_id, severity, kind, message)
VALUES (%(facility_id)s, %(vaccine_id)s, 'critical', 'stockout', 'out of stock');

-- action: resolve_alert weight: 3
UPDATE alerts SET resolved_at = now()
WHERE id = (SELECT id FROM alerts WHERE facility_id = %(facility_id)s AND severity = 'critical' AND resolved_at IS NULL
            ORDER BY created_at DESC LIMIT 1);

-- action: ship weight: 2
SELECT parent_id FROM facilities WHERE id = %(facility_id)s AND parent_id IS NOT NULL;
INSERT INTO shipments (from_facility, to_facility, vaccine_id, quantity, dispatched_on)
VALUES (%(parent_id)s, %(facility_id)s, %(vaccine_id)s, 1 + %(number)s, current_date);

-- action: receive weight: 2
UPDATE shipments SET arrived_on = current_date
WHERE id = (SELECT id FROM shipments WHERE to_facility = %(facility_id)s AND arrived_on IS NULL
            ORDER BY dispatched_on DESC LIMIT 1);

-- action: consumption weight: 2
SELECT month, issued FROM monthly_consumption WHERE vaccine_id = %(vaccine_id)s ORDER BY month DESC LIMIT 12;

-- action: audit_of_the_week weight: 1
SELECT action, count(*) FROM audit_logs WHERE created_at > now() - interval '7 days' GROUP BY action;
