-- Heliotrope. User 1 is the administrator, 2 to 9 facilitate, the rest take part in one workshop or in both.
-- Amounts: users, navigation_events, days.

INSERT INTO workshops (code, title, steps, modules) VALUES
    ('ast', 'AllStarTeams', ARRAY(SELECT 'step-' || m || '-' || s FROM generate_series(1, 5) AS m, generate_series(1, 4) AS s),
     '[{"module": 1, "title": "Discover"}, {"module": 2, "title": "Flow"}, {"module": 3, "title": "Team"}]'),
    ('ia', 'Imaginal Agility', ARRAY(SELECT 'ia-' || m || '-' || s FROM generate_series(1, 4) AS m, generate_series(1, 5) AS s),
     '[{"module": 1, "title": "Ladder"}, {"module": 2, "title": "Autoflow", "optional": true}]');

WITH person AS MATERIALIZED (
    SELECT i, CASE WHEN i = 1 THEN 'admin' WHEN i < 10 THEN 'facilitator'
                   WHEN pg_temp.dice(i, 1) < 0.15 THEN 'student' ELSE 'participant' END AS role,
           -- How many of the twenty steps were done: many stop early, a good third finishes.
           CASE WHEN i < 10 THEN 0 WHEN pg_temp.dice(i, 2) < 0.35 THEN 20
                ELSE floor(20 * power(pg_temp.dice(i, 3), 1.4))::integer END AS done,
           pg_temp.today() - floor(pg_temp.amount('days') * (1 - i::double precision / (pg_temp.amount('users') + 1)))::integer
               - 1 + pg_temp.hour_of_day(i, 10) AS joined
    FROM generate_series(1, pg_temp.amount('users')) AS i
)
INSERT INTO users (username, password, name, email, role, organization, job_title, is_test_user, navigation_progress,
                   ast_workshop_completed, ia_workshop_completed, ast_completed_at, ia_completed_at, created_at, updated_at)
SELECT role || i, 'bcrypt$' || md5('heliotrope' || i), pg_temp.first_name(i) || ' ' || pg_temp.last_name(i),
       'member' || i || '@heliotrope.example', role,
       CASE WHEN pg_temp.dice(i, 4) < 0.8 THEN 'Example Works ' || pg_temp.skewed(i, 5, 60) END,
       CASE WHEN pg_temp.dice(i, 6) < 0.6 THEN pg_temp.one_of('{Designer,Engineer,Teacher,Analyst,Nurse,Buyer}', pg_temp.dice(i, 7)) END,
       pg_temp.dice(i, 8) < 0.06,
       CASE WHEN done > 0 THEN jsonb_build_object('current', 'step-' || least(5, 1 + done / 4) || '-' || (1 + done % 4),
                                                   'unlocked', done + 1)
                || (SELECT jsonb_object_agg('step-' || (1 + (s - 1) / 4) || '-' || (1 + (s - 1) % 4),
                                            jsonb_build_object('at', (joined + s * interval '20 minutes')::date))
                    FROM generate_series(1, done) AS s) END,
       done = 20, done = 20 AND pg_temp.dice(i, 9) < 0.3,
       CASE WHEN done = 20 THEN joined + interval '3 days' END,
       CASE WHEN done = 20 AND pg_temp.dice(i, 9) < 0.3 THEN joined + interval '9 days' END,
       joined, joined + done * interval '20 minutes'
FROM person
ORDER BY i;

INSERT INTO cohorts (workshop_type, name, facilitator_id, runs, created_at)
SELECT CASE WHEN c % 3 = 0 THEN 'ia' ELSE 'ast' END, 'Cohort ' || c, 2 + c % 8,
       daterange(pg_temp.today() - c * 14, pg_temp.today() - c * 14 + 10), pg_temp.today() - c * 14 - interval '3 days'
FROM generate_series(1, greatest(1, pg_temp.amount('days') / 14)) AS c
ORDER BY c;

INSERT INTO cohort_participants (cohort_id, participant_id, joined_at)
SELECT 1 + (u.id % (SELECT count(*) FROM cohorts)), u.id, u.created_at
FROM users AS u WHERE u.role IN ('participant', 'student') ORDER BY u.id;

-- One row for each step somebody saved; what a step keeps depends on its kind.
INSERT INTO workshop_step_data (user_id, workshop_type, step_id, status, data, version, created_at, updated_at)
SELECT u.id, 'ast', 'step-' || (1 + (s - 1) / 4) || '-' || (1 + (s - 1) % 4),
       (CASE WHEN s < (u.navigation_progress ->> 'unlocked')::integer - 1 THEN 'completed' ELSE 'saved' END)::step_status,
       CASE s % 4
           WHEN 0 THEN jsonb_build_object('ratings', jsonb_build_array(s % 10, 7, 5), 'done', true)
           WHEN 1 THEN jsonb_build_object('reflection', pg_temp.note(u.id * 32 + s, 30), 'words', s)
           WHEN 2 THEN jsonb_build_object('choices', jsonb_build_object('first', s, 'second', s + 1), 'note', NULL)
           ELSE jsonb_build_object('text', pg_temp.note(u.id * 32 + s, 40), 'image', 'image-' || s) END,
       1 + floor(power(pg_temp.dice(u.id * 32 + s, 20), 3) * 6)::integer,
       u.created_at + s * interval '20 minutes', u.created_at + s * interval '21 minutes'
FROM users AS u
JOIN generate_series(1, 20) AS s ON s < (u.navigation_progress ->> 'unlocked')::integer
ORDER BY u.id, s;

INSERT INTO workshop_step_data (user_id, workshop_type, step_id, status, data, created_at, updated_at)
SELECT u.id, 'ia', 'ia-' || (1 + (s - 1) / 5) || '-' || (1 + (s - 1) % 5), 'completed',
       jsonb_build_object('ladder', jsonb_build_array(s % 10, (s + u.id) % 10), 'comment', pg_temp.note(u.id * 32 + s, 50)),
       u.ast_completed_at + s * interval '30 minutes', u.ast_completed_at + s * interval '31 minutes'
FROM users AS u CROSS JOIN generate_series(1, 20) AS s
WHERE u.ia_workshop_completed
ORDER BY u.id, s;

INSERT INTO user_assessments (user_id, assessment_type, results, score, created_at)
SELECT u.id, t.kind,
       CASE t.n WHEN 1 THEN jsonb_build_object('thinking', u.id % 40, 'acting', 20, 'feeling', 15, 'planning', 25)
                WHEN 2 THEN jsonb_build_object('answers', to_jsonb(ARRAY[1 + u.id % 5, 3, 4, 2 + u.id % 3]))
                ELSE jsonb_build_object('now', u.id % 10, 'inAYear', 1 + u.id % 10) END,
       CASE WHEN t.n < 3 THEN round(pg_temp.clamp(62 + 15 * pg_temp.bell(u.id * 4 + t.n, 60), 0, 100)::numeric, 2) END,
       u.created_at + t.n * interval '50 minutes'
FROM users AS u
CROSS JOIN (VALUES (1, 'starCard'), (2, 'flowAssessment'), (3, 'cantrilLadder'), (4, 'stepByStepReflection')) AS t (n, kind)
WHERE (u.navigation_progress ->> 'unlocked')::integer > t.n * 4
ORDER BY u.id, t.n;

INSERT INTO growth_plans (user_id, quarter, strengths, goal)
SELECT u.id, to_char(u.created_at, 'YYYY"Q"Q'), ARRAY['thinking', pg_temp.one_of('{acting,feeling,planning}', pg_temp.dice(u.id, 70))],
       pg_temp.note(u.id, 71)
FROM users AS u WHERE u.ast_workshop_completed AND u.id % 2 = 0 ORDER BY u.id;

INSERT INTO video_progress (user_id, step_id, furthest, watched)
SELECT u.id, 'step-1-' || n, interval '1 second' * floor(pg_temp.dice(u.id * 4 + n, 80) * 600), round(pg_temp.dice(u.id * 4 + n, 80)::numeric, 3)
FROM users AS u CROSS JOIN generate_series(1, 3) AS n
WHERE u.navigation_progress IS NOT NULL AND pg_temp.dice(u.id * 4 + n, 81) < 0.5
ORDER BY u.id, n;

INSERT INTO navigation_events (user_id, workshop_type, step_id, happened_at, client)
SELECT 9 + pg_temp.skewed(i, 90, pg_temp.amount('users') - 9), CASE WHEN i % 5 = 0 THEN 'ia' ELSE 'ast' END,
       'step-' || (1 + i % 5) || '-' || (1 + i / 5 % 4),
       pg_temp.today() - interval '1 day'
           - interval '1 day' * floor(pg_temp.amount('days') * (1 - i::double precision / pg_temp.amount('navigation_events')))
           + pg_temp.hour_of_day(i, 91),
       CASE WHEN i % 3 = 0 THEN json_build_object('browser', 'demo/' || i % 9, 'width', 320 + i % 1600) END
FROM generate_series(1, pg_temp.amount('navigation_events')) AS i
ORDER BY i;
