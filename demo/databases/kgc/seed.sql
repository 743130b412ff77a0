-- Keep Going Care. User 1 is the administrator, then come the doctors, then the patients.
-- Amounts: patients, doctors, days, memories, feature_uses.

INSERT INTO roles (name, description, rights) VALUES
    ('patient', 'Reports own scores', '{metrics:own}'),
    ('doctor', 'Watches patients', '{metrics:patients,directives:write}'),
    ('admin', 'Looks after the platform', '{users:write,metrics:all,settings:write}');

INSERT INTO system_settings (key, value) VALUES
    ('retention.health_metrics', '{"days": 365}'),
    ('features', '{"assistant": true, "places": ["gym", "market"], "limits": {"memories": 500}}'),
    ('maintenance', 'null');

INSERT INTO users (uin, username, email, password_hash, role, display_name, phone, locale, is_active, preferences,
                   last_login_at, created_at)
SELECT 'KGC-' || CASE WHEN i = 1 THEN 'AA' WHEN i <= 1 + pg_temp.amount('doctors') THEN 'DR' ELSE 'PT' END
           || '-' || lpad(i::text, 6, '0'),
       CASE WHEN i = 1 THEN 'admin' WHEN i <= 1 + pg_temp.amount('doctors') THEN 'doctor' ELSE 'patient' END
           || lpad(i::text, 5, '0'),
       'User' || i || '@kgc.example',
       'scrypt$' || md5('kgc' || i),
       (CASE WHEN i = 1 THEN 'admin' WHEN i <= 1 + pg_temp.amount('doctors') THEN 'doctor' ELSE 'patient' END)::user_role,
       pg_temp.first_name(i) || ' ' || pg_temp.last_name(i),
       CASE WHEN pg_temp.dice(i, 1) < 0.7 THEN '+61 000 ' || lpad((i * 37 % 1000000)::text, 6, '0') END,
       pg_temp.one_of('{en-AU,en-AU,en-AU,en-NZ,vi,zh}', pg_temp.dice(i, 2)),
       pg_temp.dice(i, 3) < 0.93,
       CASE WHEN pg_temp.dice(i, 4) < 0.3 THEN '{}'
            WHEN pg_temp.dice(i, 4) < 0.8 THEN jsonb_build_object('theme', 'dark', 'reminders', jsonb_build_array('08:00', '20:00'))
            ELSE jsonb_build_object('units', 'metric', 'assistant', jsonb_build_object('voice', true, 'pace', i % 5)) END,
       CASE WHEN pg_temp.dice(i, 5) < 0.9
            THEN pg_temp.today() - floor(power(pg_temp.dice(i, 6), 3) * 60)::integer + pg_temp.hour_of_day(i, 10) - interval '1 day' END,
       pg_temp.today() - pg_temp.amount('days') + pg_temp.hour_of_day(i, 20)
FROM generate_series(1, 1 + pg_temp.amount('doctors') + pg_temp.amount('patients')) AS i
ORDER BY i;

-- Each patient has one doctor, busy ones have more; one in ten has left a second one.
INSERT INTO doctor_patients (doctor_id, patient_id, active, since)
SELECT 1 + pg_temp.skewed(p.id, 30, pg_temp.amount('doctors')), p.id, true, p.created_at::date
FROM users AS p WHERE p.role = 'patient' ORDER BY p.id;

INSERT INTO doctor_patients (doctor_id, patient_id, active, since)
SELECT 1 + pg_temp.amount('doctors'), p.id, false, p.created_at::date
FROM users AS p WHERE p.role = 'patient' AND p.id % 10 = 0 ORDER BY p.id
ON CONFLICT DO NOTHING;

INSERT INTO invitations (doctor_id, email, status, code, sent_at, answered_at)
SELECT d.doctor_id, 'user' || d.patient_id || '@kgc.example',
       pg_temp.one_of('{accepted,accepted,accepted,sent,declined,expired}', pg_temp.dice(d.id, 40)),
       upper(left(md5('invitation' || d.id), 12)), d.since + time '10:00',
       CASE WHEN pg_temp.one_of('{accepted,accepted,accepted,sent,declined,expired}', pg_temp.dice(d.id, 40))
                 IN ('accepted', 'declined') THEN d.since + time '18:30' END
FROM doctor_patients AS d ORDER BY d.id;

-- Nobody reports every day; habits differ, go up slowly, dip at weekends, and the three scores know of each other.
WITH patient AS MATERIALIZED (
    SELECT u.id,
           floor(pg_temp.amount('days') * (0.25 + 0.75 * sqrt(pg_temp.dice(u.id, 50))))::integer AS joined_days_ago,
           CASE WHEN pg_temp.dice(u.id, 51) < 0.2
                THEN floor(pg_temp.amount('days') * 0.2 * pg_temp.dice(u.id, 52))::integer ELSE 0 END AS left_days_ago,
           pg_temp.clamp(0.82 + 0.12 * pg_temp.bell(u.id, 53), 0.3, 0.99) AS adherence,
           58 + 14 * pg_temp.bell(u.id, 60) AS level,
           12 * pg_temp.dice(u.id, 64) AS gain
    FROM users AS u WHERE u.role = 'patient'
), day AS (
    SELECT p.*, ago, p.id::bigint * 10000 + ago AS k,
           p.level + p.gain * (1 - ago::double precision / pg_temp.amount('days'))
               - CASE WHEN extract(isodow FROM pg_temp.today() - ago) >= 6 THEN 6 ELSE 0 END
               + 7 * pg_temp.bell(p.id::bigint * 10000 + ago, 70) AS mood
    FROM patient AS p
    JOIN generate_series(1, pg_temp.amount('days')) AS ago ON ago <= p.joined_days_ago AND ago > p.left_days_ago
    WHERE pg_temp.dice(p.id::bigint * 10000 + ago, 74) < p.adherence
)
INSERT INTO health_metrics (user_id, date, medication_score, diet_score, exercise_score)
SELECT id, pg_temp.today() - ago + pg_temp.hour_of_day(k, 80),
       round(pg_temp.clamp(mood + 18 + 6 * pg_temp.bell(k, 90), 0, 100)::numeric, 1),
       round(pg_temp.clamp(mood + 9 * pg_temp.bell(k, 94), 0, 100)::numeric, 1),
       round(pg_temp.clamp(mood - 10 + 13 * pg_temp.bell(k, 98), 0, 100)::numeric, 1)
FROM day
ORDER BY ago DESC, id;

INSERT INTO care_plan_directives (user_id, doctor_id, category, directive, target_score, active, created_at, updated_at)
SELECT d.patient_id, d.doctor_id, c.category,
       pg_temp.one_of('{Take it with food,Keep a fixed hour,Aim for a little more,Write down what was hard,'
                      'Halve the salt,Walk after dinner,Rest one day in seven}', pg_temp.dice(d.id * 10 + c.n, 110)),
       CASE WHEN pg_temp.dice(d.id * 10 + c.n, 111) < 0.8 THEN 60 + floor(pg_temp.dice(d.id * 10 + c.n, 112) * 8) * 5 END,
       d.active AND pg_temp.dice(d.id * 10 + c.n, 113) < 0.6, d.since + time '11:00', d.since + time '11:00'
FROM doctor_patients AS d
CROSS JOIN (VALUES (1, 'medication'), (2, 'diet'), (3, 'exercise'), (4, 'sleep')) AS c (n, category)
WHERE pg_temp.dice(d.id * 10 + c.n, 114) < 0.7
ORDER BY d.id, c.n;

INSERT INTO progress_milestones (user_id, title, badge, progress, due_on, created_at)
SELECT u.id, t.title, CASE WHEN t.n < 3 THEN 'bronze' END,
       least(100, round((pg_temp.dice(u.id * 10 + t.n, 120) * 140)::numeric, 2)),
       pg_temp.today() + (t.n * 14), u.created_at
FROM users AS u
CROSS JOIN (VALUES (1, 'First week'), (2, 'Thirty reports'), (3, 'A hundred walks'), (4, 'One year')) AS t (n, title)
WHERE u.role = 'patient'
ORDER BY u.id, t.n;

INSERT INTO recommendations (user_id, metric_id, category, body, evidence, seen_at, created_at)
SELECT m.user_id, CASE WHEN m.id % 3 > 0 THEN m.id END,
       CASE WHEN m.diet_score < m.exercise_score THEN 'diet' ELSE 'exercise' END, pg_temp.note(m.id, 130),
       CASE WHEN m.id % 2 = 0 THEN jsonb_build_object('score', m.diet_score, 'rule', 'low-diet')
            ELSE jsonb_build_object('trend', jsonb_build_array(m.diet_score, m.exercise_score), 'days', 7) END,
       CASE WHEN m.id % 4 > 0 THEN m.date + interval '3 hours' END, m.date + interval '1 minute'
FROM health_metrics AS m
WHERE least(m.diet_score, m.exercise_score) < 22
ORDER BY m.id;

-- Memories: some for ever, most for weeks or months, so that many have expired by now.
WITH memory AS (
    SELECT i, 1 + pg_temp.amount('doctors') + pg_temp.skewed(i, 140, pg_temp.amount('patients')) AS user_id,
           pg_temp.today() - interval '1 day'
               - interval '1 day' * floor(pg_temp.amount('days') * (1 - i::double precision / pg_temp.amount('memories')))
               + pg_temp.hour_of_day(i, 150) AS created
    FROM generate_series(1, pg_temp.amount('memories')) AS i
)
INSERT INTO chat_memory (user_id, memory_system, type, content, context, importance, embeddings, last_accessed,
                         access_count, expires_at, created_at)
SELECT m.user_id, pg_temp.one_of('{semantic,semantic,episodic,procedural}', pg_temp.dice(i, 160)),
       pg_temp.one_of('{preference,conversation,conversation,health_fact,goal,emotion}', pg_temp.dice(i, 161)),
       pg_temp.note(i, 170) || ' ' || pg_temp.note(i, 180),
       CASE WHEN pg_temp.dice(i, 162) < 0.15 THEN NULL
            WHEN pg_temp.dice(i, 162) < 0.75 THEN json_build_object(
                'relatedTopics', json_build_array(
                    pg_temp.one_of('{sleep,diet,walking,medication,family,stress,travel}', pg_temp.dice(i, 163)),
                    pg_temp.one_of('{morning,evening,weekend,doctor,recipe}', pg_temp.dice(i, 164))),
                'mood', round(pg_temp.dice(i, 165)::numeric, 2))
            ELSE json_build_object('source', 'voice', 'device', json_build_object('kind', 'phone', 'build', i % 40),
                                   'tags', json_build_array()) END,
       round(pg_temp.clamp(0.5 + 0.2 * pg_temp.bell(i, 190), 0, 1)::numeric, 2),
       CASE WHEN pg_temp.dice(i, 166) < 0.6 THEN (
           SELECT '[' || string_agg(round((pg_temp.dice(i * 64 + d, 200) * 2 - 1)::numeric, 4)::text, ',') || ']'
           FROM generate_series(1, 24) AS d) END,
       CASE WHEN i % 3 = 0 THEN created + interval '5 days' END, floor(power(pg_temp.dice(i, 167), 4) * 30)::integer,
       CASE WHEN pg_temp.dice(i, 168) > 0.35
            THEN created + interval '1 day' * (20 + floor(pg_temp.dice(i, 169) * 160)) END,
       created
FROM memory AS m
ORDER BY i;

INSERT INTO feature_usage (user_id, feature, used_at, duration, detail)
SELECT 1 + pg_temp.amount('doctors') + pg_temp.skewed(i, 210, pg_temp.amount('patients')),
       pg_temp.one_of('{dashboard,dashboard,dashboard,report,assistant,recipes,inspiration,places}', pg_temp.dice(i, 211)),
       pg_temp.today() - interval '1 day'
           - interval '1 day' * floor(365 * (1 - i::double precision / pg_temp.amount('feature_uses')))
           + pg_temp.hour_of_day(i, 212),
       CASE WHEN i % 5 > 0 THEN interval '1 second' * floor(5 + 400 * power(pg_temp.dice(i, 219), 3)) END,
       CASE WHEN i % 7 = 0 THEN jsonb_build_object('from', 'reminder') WHEN i % 11 = 0 THEN jsonb_build_object('search', jsonb_build_array('soup', i % 50)) END
FROM generate_series(1, pg_temp.amount('feature_uses')) AS i
ORDER BY i;

INSERT INTO user_favourites (user_id, content_kind, content_key, note)
SELECT u.id, pg_temp.one_of('{recipe,exercise,article,place}', pg_temp.dice(u.id * 10 + n, 220)),
       'item-' || pg_temp.skewed(u.id * 10 + n, 221, 300), CASE WHEN n = 1 THEN pg_temp.note(u.id, 222) END
FROM users AS u CROSS JOIN generate_series(1, 5) AS n
WHERE u.role = 'patient' AND pg_temp.dice(u.id * 10 + n, 226) < 0.6
ORDER BY u.id, n
ON CONFLICT DO NOTHING;

INSERT INTO user_sessions (user_id, token_digest, ip_address, created_at, expires_at)
SELECT u.id, sha256(('session' || u.id || '-' || n)::bytea), ('192.0.2.' || (u.id * 7 + n) % 250)::inet,
       pg_temp.today() - n * 2 + pg_temp.hour_of_day(u.id * 10 + n, 230) - interval '1 day',
       pg_temp.today() - n * 2 + interval '15 days'
FROM users AS u CROSS JOIN generate_series(1, 6) AS n
WHERE u.is_active AND pg_temp.dice(u.id * 10 + n, 236) < 0.7
ORDER BY n DESC, u.id;

REFRESH MATERIALIZED VIEW analytics.monthly_progress;
