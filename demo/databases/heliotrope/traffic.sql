-- A day of workshops. The queries are those of the team's issue, every one of which it found slow.

-- pick: participant
SELECT id AS user_id, username, email FROM users WHERE role = 'participant' ORDER BY md5(id::text) LIMIT 300;

-- pick: step
SELECT 'step-' || m || '-' || s AS step_id, 'ast' AS workshop_type FROM generate_series(1, 5) AS m, generate_series(1, 4) AS s;

-- pick: role
SELECT * FROM (VALUES ('facilitator'), ('admin')) AS r (staff_role);

-- action: log_in_by_username weight: 12
SELECT id, password, role, name FROM users WHERE username = %(username)s AND is_test_user = false;

-- action: log_in_by_email weight: 3
SELECT id, password, role, name FROM users WHERE email = %(email)s;

-- action: open_workshop weight: 16
SELECT id, navigation_progress, ast_workshop_completed, ia_workshop_completed FROM users WHERE id = %(user_id)s;
SELECT step_id, status, data, updated_at FROM workshop_step_data
WHERE user_id = %(user_id)s AND workshop_type = %(workshop_type)s;

-- action: save_step weight: 14
UPDATE workshop_step_data SET data = data || jsonb_build_object('text', %(note)s::text), version = version + 1,
       updated_at = CURRENT_TIMESTAMP
WHERE user_id = %(user_id)s AND workshop_type = %(workshop_type)s AND step_id = %(step_id)s;
UPDATE users SET navigation_progress = coalesce(navigation_progress, '{}') || jsonb_build_object('current', %(step_id)s::text),
       updated_at = CURRENT_TIMESTAMP
WHERE id = %(user_id)s;

-- action: save_new_step weight: 4
INSERT INTO workshop_step_data (user_id, workshop_type, step_id, data)
VALUES (%(user_id)s, %(workshop_type)s, %(step_id)s, jsonb_build_object('reflection', %(note)s::text, 'words', %(number)s::integer));

-- action: record_navigation weight: 20
INSERT INTO navigation_events (user_id, workshop_type, step_id, client)
VALUES (%(user_id)s, %(workshop_type)s, %(step_id)s, '{"browser": "demo/1"}');

-- action: my_assessment weight: 9
SELECT results, score, created_at FROM user_assessments WHERE user_id = %(user_id)s AND assessment_type = 'starCard';

-- action: take_assessment weight: 2
INSERT INTO user_assessments (user_id, assessment_type, results, score)
VALUES (%(user_id)s, 'flowAssessment', '{"answers": [3, 4, 4, 5]}', %(score)s);

-- action: newest_assessments weight: 3
SELECT user_id, assessment_type, score, created_at FROM user_assessments ORDER BY created_at DESC LIMIT 20;

-- action: who_stands_at_a_step weight: 3
SELECT id, name, email FROM users
WHERE role = 'participant' AND navigation_progress @> jsonb_build_object('current', %(step_id)s::text) LIMIT 100;

-- action: who_did_a_step weight: 1
SELECT count(*) FROM users WHERE role = 'participant' AND navigation_progress ? 'step-3-2';

-- action: answers_to_a_step weight: 2
SELECT user_id, data FROM workshop_step_data WHERE step_id = %(step_id)s ORDER BY updated_at DESC LIMIT 50;

-- action: staff_list weight: 2
SELECT id, name, email FROM users WHERE role = %(staff_role)s AND is_test_user = false ORDER BY name;

-- action: newest_participants weight: 4
SELECT id, name, email, organization, created_at FROM users
WHERE role = 'participant' ORDER BY created_at DESC LIMIT 50;

-- action: finished_both weight: 1
SELECT id, name FROM users WHERE ast_workshop_completed = true AND ia_workshop_completed = true
ORDER BY ia_completed_at DESC LIMIT 50;

-- action: my_events weight: 3
SELECT step_id, happened_at FROM navigation_events WHERE user_id = %(user_id)s ORDER BY happened_at DESC LIMIT 30;

-- action: cohort_members weight: 1
SELECT c.name, u.name AS participant FROM cohorts AS c
JOIN cohort_participants AS p ON p.cohort_id = c.id JOIN users AS u ON u.id = p.participant_id
WHERE p.participant_id = %(user_id)s;
