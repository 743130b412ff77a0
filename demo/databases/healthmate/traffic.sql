-- A day with HealthMate. Without the sixteen indexes nearly all of this reads whole tables.

-- pick: patient
SELECT id AS user_id, email FROM users WHERE role = 'patient' ORDER BY md5(id::text) LIMIT 300;

-- pick: kind
SELECT * FROM (VALUES ('heart_rate', 'bpm'), ('steps', 'count'), ('weight', 'kg'), ('systolic', 'mmHg')) AS k (data_type, unit);

-- pick: medication
SELECT * FROM (VALUES ('Examplol'), ('Placebix'), ('Fictamin'), ('Mockstatin')) AS m (medication_name);

-- pick: goal
SELECT * FROM (VALUES ('steps'), ('sleep'), ('hydration')) AS g (goal_type);

-- action: log_in weight: 8
SELECT id, hashed_password, role, is_active FROM users WHERE email = %(email)s;
INSERT INTO audit_logs (user_id, action, detail) VALUES (%(user_id)s, 'login', '{"from": "198.51.100.1"}');

-- action: list_staff weight: 1
SELECT id, full_name, email FROM users WHERE role = 'researcher';

-- action: newest_users weight: 2
SELECT id, full_name, created_at FROM users ORDER BY created_at DESC LIMIT 20;

-- action: add_reading weight: 20
INSERT INTO health_data (user_id, data_type, value, unit, confidence, source)
VALUES (%(user_id)s, %(data_type)s, %(score)s, %(unit)s, 0.95, 'watch');

-- action: my_readings weight: 12
SELECT value, unit, timestamp FROM health_data
WHERE user_id = %(user_id)s AND data_type = %(data_type)s AND timestamp > now() - interval '30 days' ORDER BY timestamp DESC;

-- action: my_timeline weight: 4
SELECT data_type, value, timestamp FROM health_data WHERE user_id = %(user_id)s ORDER BY timestamp DESC LIMIT 50;

-- action: readings_of_the_day weight: 1
SELECT data_type, count(*), avg(value) FROM health_data WHERE timestamp > now() - interval '1 day' GROUP BY data_type;

-- action: newest_of_a_kind weight: 1
SELECT user_id, value, timestamp FROM health_data WHERE data_type = %(data_type)s ORDER BY timestamp DESC LIMIT 20;

-- action: log_symptom weight: 5
INSERT INTO symptom_logs (user_id, symptom, severity, pain_level, description)
VALUES (%(user_id)s, 'headache', 'mild', 3, %(note)s);

-- action: my_symptoms weight: 5
SELECT symptom, severity, pain_level, timestamp FROM symptom_logs WHERE user_id = %(user_id)s ORDER BY timestamp DESC LIMIT 30;

-- action: severe_symptoms weight: 1
SELECT user_id, symptom, timestamp FROM symptom_logs
WHERE severity = 'severe' AND timestamp > now() - interval '3 days' ORDER BY timestamp DESC;

-- action: take_medication weight: 6
INSERT INTO medication_logs (user_id, medication_name, dosage, frequency, effectiveness)
VALUES (%(user_id)s, %(medication_name)s, '10 mg', 'once daily', 7);

-- action: my_medication weight: 5
SELECT medication_name, dosage, taken_at FROM medication_logs
WHERE user_id = %(user_id)s AND taken_at > now() - interval '14 days' ORDER BY taken_at DESC;

-- action: effect_of_a_medication weight: 1
SELECT avg(effectiveness), count(*) FROM medication_logs
WHERE medication_name = %(medication_name)s AND taken_at > now() - interval '30 days';

-- action: my_goals weight: 6
SELECT goal_type, target_value, progress, deadline FROM health_goals WHERE user_id = %(user_id)s AND is_active = true;

-- action: move_goal weight: 2
UPDATE health_goals SET progress = least(100, progress + 1)
WHERE id = (SELECT id FROM health_goals WHERE user_id = %(user_id)s AND goal_type = %(goal_type)s ORDER BY id LIMIT 1);

-- action: my_alerts weight: 8
SELECT level, message, triggered_at FROM health_alerts
WHERE user_id = %(user_id)s AND acknowledged = false ORDER BY triggered_at DESC;

-- action: open_alerts weight: 2
SELECT id, user_id, level, triggered_at FROM health_alerts WHERE acknowledged = false ORDER BY triggered_at DESC LIMIT 50;

-- action: acknowledge weight: 2
UPDATE health_alerts SET acknowledged = true
WHERE id = (SELECT id FROM health_alerts WHERE user_id = %(user_id)s AND acknowledged = false ORDER BY triggered_at LIMIT 1);

-- action: talk weight: 5
SELECT prompt, response FROM conversations WHERE user_id = %(user_id)s ORDER BY timestamp DESC LIMIT 10;
INSERT INTO conversations (user_id, agent, prompt, response, metadata)
VALUES (%(user_id)s, 'coach', %(note)s, %(note)s, '{"model": "demo-1"}');

-- action: bad_answers weight: 1
SELECT id, agent, timestamp FROM conversations WHERE feedback = -1 ORDER BY timestamp DESC LIMIT 20;

-- action: record_performance weight: 6
INSERT INTO performance_metrics (metric_name, metric_value, tags) VALUES ('query_time_ms', %(score)s, '{"route": "/v1/1"}');
