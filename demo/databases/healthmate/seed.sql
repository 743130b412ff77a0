-- HealthMate. User 1 administrates, user 2 is a researcher, the rest are patients.
-- Amounts: users, readings, symptoms, doses, talks, events, days. Rows are spread evenly over the days, oldest first.
-- Rows that break the four missing rules are made on purpose: every 997th reading, symptom, dose and goal.

CREATE OR REPLACE FUNCTION pg_temp.moment(i bigint, total integer, salt integer) RETURNS timestamptz LANGUAGE sql STABLE
    AS $$ SELECT pg_temp.today() - interval '1 day'
              - interval '1 day' * floor(pg_temp.amount('days') * (1 - i::double precision / total))
              + pg_temp.hour_of_day(i, salt) $$;

INSERT INTO users (email, hashed_password, full_name, role, phone, date_of_birth, is_active, settings, created_at)
SELECT 'mate' || i || '@healthmate.example', 'argon2$' || md5('healthmate' || i),
       pg_temp.first_name(i) || ' ' || pg_temp.last_name(i),
       CASE i WHEN 1 THEN 'admin' WHEN 2 THEN 'researcher' ELSE pg_temp.one_of('{patient,patient,patient,patient,patient,doctor}', pg_temp.dice(i, 1)) END,
       CASE WHEN pg_temp.dice(i, 2) < 0.6 THEN '+1 555 0' || lpad((i * 13 % 1000000)::text, 6, '0') END,
       CASE WHEN pg_temp.dice(i, 3) < 0.95 THEN date '1940-01-01' + floor(pg_temp.dice(i, 4) * 25000)::integer END,
       pg_temp.dice(i, 5) < 0.9,
       CASE WHEN i % 4 > 0 THEN jsonb_build_object('language', 'en', 'channels', jsonb_build_array('mail', 'push')) END,
       pg_temp.today() - interval '1 day' * floor(pg_temp.amount('days') * (1 - i::double precision / (pg_temp.amount('users') + 1))) - interval '2 hours'
FROM generate_series(1, pg_temp.amount('users')) AS i
ORDER BY i;

WITH kind (n, name, unit, mean, spread) AS (
    VALUES (0, 'heart_rate', 'bpm', 72, 11), (1, 'steps', 'count', 6200, 2500), (2, 'weight', 'kg', 74, 12),
           (3, 'blood_glucose', 'mg/dL', 104, 22), (4, 'sleep_hours', 'h', 7, 1.2), (5, 'systolic', 'mmHg', 124, 13)
)
INSERT INTO health_data (user_id, data_type, value, unit, confidence, source, notes, timestamp)
SELECT pg_temp.skewed(i, 10, pg_temp.amount('users')), k.name,
       round(greatest(0, k.mean + k.spread * pg_temp.bell(i, 20))::numeric, 1), k.unit,
       CASE WHEN i % 997 = 0 THEN 1.2 WHEN i % 6 > 0 THEN round(pg_temp.clamp(0.9 + 0.06 * pg_temp.bell(i, 24), 0, 1)::numeric, 2) END,
       pg_temp.one_of('{watch,watch,phone,manual,clinic}', pg_temp.dice(i, 28)),
       CASE WHEN i % 15 = 0 THEN pg_temp.note(i, 30) END,
       pg_temp.moment(i, pg_temp.amount('readings'), 40)
FROM generate_series(1, pg_temp.amount('readings')) AS i
JOIN kind AS k ON k.n = floor(6 * power(pg_temp.dice(i, 12), 1.7))
ORDER BY i;

INSERT INTO symptom_logs (user_id, symptom, severity, pain_level, triggers, description, timestamp)
SELECT pg_temp.skewed(i, 50, pg_temp.amount('users')),
       pg_temp.one_of('{headache,headache,fatigue,nausea,dizziness,back pain,cough}', pg_temp.dice(i, 51)),
       pg_temp.one_of('{mild,mild,mild,moderate,moderate,severe}', pg_temp.dice(i, 52)),
       CASE WHEN i % 997 = 0 THEN 11 WHEN i % 5 > 0 THEN floor(pg_temp.dice(i, 53) * 11)::integer END,
       CASE WHEN i % 3 = 0 THEN ARRAY[pg_temp.one_of('{stress,weather,screen,coffee}', pg_temp.dice(i, 54)), 'unknown'] END,
       CASE WHEN i % 2 = 0 THEN pg_temp.note(i, 55) END, pg_temp.moment(i, pg_temp.amount('symptoms'), 60)
FROM generate_series(1, pg_temp.amount('symptoms')) AS i
ORDER BY i;

INSERT INTO medication_logs (user_id, medication_name, dosage, frequency, effectiveness, side_effects, taken_at)
SELECT pg_temp.skewed(i, 70, pg_temp.amount('users')),
       pg_temp.one_of('{Examplol,Placebix,Fictamin,Testacillin,Samplopril,Demoxetine,Mockstatin}', pg_temp.dice(i, 71)),
       (5 * (1 + i % 8)) || ' mg', pg_temp.one_of('{once daily,once daily,twice daily,as needed}', pg_temp.dice(i, 72)),
       CASE WHEN i % 997 = 0 THEN 0 WHEN i % 4 > 0 THEN 1 + floor(pg_temp.dice(i, 73) * 10)::integer END,
       CASE WHEN i % 20 = 0 THEN pg_temp.note(i, 74) END, pg_temp.moment(i, pg_temp.amount('doses'), 80)
FROM generate_series(1, pg_temp.amount('doses')) AS i
ORDER BY i;

INSERT INTO health_goals (user_id, goal_type, target_value, progress, is_active, deadline, created_at)
SELECT 1 + i % pg_temp.amount('users'), pg_temp.one_of('{weight_loss,steps,sleep,hydration,meditation}', pg_temp.dice(i, 90)),
       CASE WHEN i % 8 > 0 THEN 10 * (1 + i % 30) END,
       CASE WHEN i % 997 = 0 THEN 104 ELSE round((100 * pg_temp.dice(i, 91))::numeric, 1) END, pg_temp.dice(i, 92) < 0.4,
       CASE WHEN i % 3 > 0 THEN pg_temp.today() + (i % 90)::integer END,
       pg_temp.moment(i, pg_temp.amount('users') * 3, 93)
FROM generate_series(1, pg_temp.amount('users') * 3) AS i
ORDER BY i;

INSERT INTO health_alerts (user_id, level, message, context, acknowledged, triggered_at)
SELECT pg_temp.skewed(i, 100, pg_temp.amount('users')),
       pg_temp.one_of('{info,info,low,low,medium,high,critical}', pg_temp.dice(i, 101))::alert_level,
       pg_temp.one_of('{Heart rate above its usual range,No reading for three days,Glucose trend rising,Goal nearly reached}', pg_temp.dice(i, 102)),
       CASE WHEN i % 3 > 0 THEN jsonb_build_object('value', i % 200, 'window', jsonb_build_object('days', 1 + i % 7)) END,
       pg_temp.dice(i, 103) < 0.93, pg_temp.moment(i, pg_temp.amount('events') / 4, 104)
FROM generate_series(1, pg_temp.amount('events') / 4) AS i
ORDER BY i;

INSERT INTO conversations (user_id, agent, prompt, response, feedback, metadata, timestamp)
SELECT pg_temp.skewed(i, 110, pg_temp.amount('users')), pg_temp.one_of('{coach,coach,dietitian,triage}', pg_temp.dice(i, 111)),
       pg_temp.note(i, 112), pg_temp.note(i, 120) || ' ' || pg_temp.note(i, 130) || ' ' || pg_temp.note(i, 140),
       CASE WHEN pg_temp.dice(i, 113) < 0.2 THEN (CASE WHEN pg_temp.dice(i, 114) < 0.8 THEN 1 ELSE -1 END) END,
       CASE WHEN i % 2 = 0 THEN json_build_object('model', 'demo-' || i % 3, 'tokens', 50 + i % 900) END,
       pg_temp.moment(i, pg_temp.amount('talks'), 150)
FROM generate_series(1, pg_temp.amount('talks')) AS i
ORDER BY i;

INSERT INTO performance_metrics (metric_name, metric_value, tags, recorded_at)
SELECT pg_temp.one_of('{query_time_ms,cache_hit_ratio,pool_in_use,rows_returned}', pg_temp.dice(i, 160)),
       round((100 * power(pg_temp.dice(i, 161), 4))::numeric, 3), CASE WHEN i % 2 = 0 THEN jsonb_build_object('route', '/v1/' || i % 12) END,
       pg_temp.moment(i, pg_temp.amount('events'), 162)
FROM generate_series(1, pg_temp.amount('events')) AS i
ORDER BY i;

INSERT INTO audit_logs (user_id, action, detail, occurred_at)
SELECT CASE WHEN i % 9 > 0 THEN pg_temp.skewed(i, 170, pg_temp.amount('users')) END,
       pg_temp.one_of('{login,login,view_data,view_data,export,update_profile,run_migration}', pg_temp.dice(i, 171)),
       CASE WHEN i % 4 = 0 THEN jsonb_build_object('from', '198.51.100.' || i % 250) END,
       pg_temp.moment(i, pg_temp.amount('events'), 172)
FROM generate_series(1, pg_temp.amount('events')) AS i
ORDER BY i;
