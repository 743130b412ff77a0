-- A day at Keep Going Care. How to read this file: demo/databases/workload.py.

-- pick: patient
SELECT id AS user_id, username, lower(email) AS email FROM users WHERE role = 'patient' ORDER BY md5(id::text) LIMIT 300;

-- pick: doctor
SELECT DISTINCT doctor_id FROM doctor_patients WHERE active ORDER BY 1 LIMIT 50;

-- pick: topic
SELECT * FROM (VALUES ('sleep'), ('diet'), ('walking'), ('stress'), ('travel')) AS t (topic);

-- pick: feature
SELECT * FROM (VALUES ('dashboard'), ('report'), ('assistant'), ('recipes'), ('places')) AS f (feature);

-- action: log_in_by_username weight: 8
SELECT id, password_hash, role, is_active FROM users WHERE username = %(username)s;
UPDATE users SET last_login_at = now() WHERE id = %(user_id)s;
INSERT INTO user_sessions (user_id, token_digest, ip_address, expires_at)
VALUES (%(user_id)s, %(token)s, '192.0.2.7', now() + interval '14 days');

-- action: log_in_by_email weight: 3
SELECT id, password_hash, role, is_active FROM users WHERE lower(email) = %(email)s;

-- action: last_90_reports weight: 24
SELECT set_config('app.user_id', %(user_id)s::text, true), set_config('app.role', 'patient', true);
SELECT id, user_id, date, medication_score, diet_score, exercise_score
FROM health_metrics WHERE user_id = %(user_id)s ORDER BY date DESC LIMIT 90;

-- action: summary_of_thirty_days weight: 14
SELECT set_config('app.user_id', %(user_id)s::text, true), set_config('app.role', 'patient', true);
SELECT avg(medication_score), avg(diet_score), avg(exercise_score), count(*)
FROM health_metrics WHERE user_id = %(user_id)s AND date >= now() - interval '30 days';

-- action: progress_report weight: 5
SELECT set_config('app.user_id', %(user_id)s::text, true), set_config('app.role', 'patient', true);
SELECT date, medication_score, diet_score, exercise_score,
       (medication_score + diet_score + exercise_score) / 3 AS overall_score,
       avg((medication_score + diet_score + exercise_score) / 3)
           OVER (ORDER BY date ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) AS rolling_avg
FROM health_metrics
WHERE user_id = %(user_id)s AND date BETWEEN now() - interval '180 days' AND now()
ORDER BY date;

-- action: report_scores weight: 12
SELECT set_config('app.user_id', %(user_id)s::text, true), set_config('app.role', 'patient', true);
INSERT INTO health_metrics (user_id, medication_score, diet_score, exercise_score)
VALUES (%(user_id)s, %(score)s, %(second_score)s, %(third_score)s) RETURNING id AS metric_id;
SELECT id, category, target_score FROM care_plan_directives WHERE user_id = %(user_id)s AND active LIMIT 10;
INSERT INTO recommendations (user_id, metric_id, category, body, evidence)
VALUES (%(user_id)s, %(metric_id)s, 'diet', %(note)s, jsonb_build_object('score', %(second_score)s::real));

-- action: doctor_dashboard weight: 6
SELECT set_config('app.user_id', %(doctor_id)s::text, true), set_config('app.role', 'doctor', true);
SELECT m.user_id, u.display_name, avg(m.exercise_score) AS exercise, max(m.date) AS last_report
FROM health_metrics AS m
JOIN users AS u ON u.id = m.user_id
WHERE m.date >= now() - interval '7 days'
  AND m.user_id IN (SELECT patient_id FROM doctor_patients WHERE doctor_id = %(doctor_id)s AND active)
GROUP BY m.user_id, u.display_name ORDER BY exercise LIMIT 25;

-- action: remember weight: 8
SELECT set_config('app.user_id', %(user_id)s::text, true), set_config('app.role', 'patient', true);
INSERT INTO chat_memory (user_id, type, content, context, importance, expires_at)
VALUES (%(user_id)s, 'conversation', %(note)s, json_build_object('relatedTopics', json_build_array(%(topic)s::text)),
        %(roll)s, now() + interval '90 days');

-- action: recall weight: 9
SELECT set_config('app.user_id', %(user_id)s::text, true), set_config('app.role', 'patient', true);
SELECT id AS memory_id, type, content, importance FROM chat_memory
WHERE user_id = %(user_id)s AND (expires_at IS NULL OR expires_at > now()) ORDER BY importance DESC LIMIT 10;
UPDATE chat_memory SET last_accessed = now(), access_count = access_count + 1 WHERE id = %(memory_id)s;

-- action: recall_topic weight: 3
SELECT set_config('app.user_id', %(user_id)s::text, true), set_config('app.role', 'patient', true);
SELECT id, content FROM chat_memory
WHERE user_id = %(user_id)s AND (context -> 'relatedTopics')::jsonb @> to_jsonb(%(topic)s::text) LIMIT 20;

-- action: forget_expired weight: 1
SELECT set_config('app.role', 'admin', true);
DELETE FROM chat_memory WHERE id IN (
    SELECT id FROM chat_memory WHERE expires_at < now() - interval '900 days' LIMIT 20);

-- action: use_feature weight: 9
INSERT INTO feature_usage (user_id, feature, duration, detail)
VALUES (%(user_id)s, %(feature)s, interval '1 second' * %(number)s, '{"from": "menu"}');

-- action: features_this_month weight: 1
SELECT feature, count(*) FROM feature_usage WHERE used_at > now() - interval '30 days' GROUP BY feature ORDER BY 2 DESC;

-- action: move_milestone weight: 2
UPDATE progress_milestones SET progress = least(100, progress + 1)
WHERE id = (SELECT id FROM progress_milestones WHERE user_id = %(user_id)s AND NOT reached ORDER BY id LIMIT 1);

-- action: list_users weight: 1
SELECT id, username, role, is_active, last_login_at FROM users ORDER BY created_at DESC LIMIT 50;
