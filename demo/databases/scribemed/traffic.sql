-- A day in the clinics. Everything about patients happens inside one organization.

-- pick: clinician
SELECT id AS user_id, organization_id, email FROM users WHERE deleted_at IS NULL ORDER BY id LIMIT 200;

-- pick: name
SELECT * FROM (VALUES ('Exampleson'), ('Sampleberg'), ('Madeupton'), ('Dummyova'), ('Fictivefield')) AS n (last_name);

-- action: log_in weight: 8
SELECT id, password_hash, role, organization_id FROM users WHERE email = %(email)s AND deleted_at IS NULL;
INSERT INTO sessions (user_id, token_digest, user_agent, ip_address, expires_at)
VALUES (%(user_id)s, %(token)s, 'demo-browser/1', '198.51.100.9', now() + interval '12 hours');

-- action: check_session weight: 20
SELECT id, expires_at FROM sessions WHERE user_id = %(user_id)s AND revoked_at IS NULL AND expires_at > now() LIMIT 5;

-- action: log_out weight: 3
UPDATE sessions SET revoked_at = now()
WHERE id = (SELECT id FROM sessions WHERE user_id = %(user_id)s AND revoked_at IS NULL ORDER BY created_at LIMIT 1);

-- action: find_patient weight: 14
SELECT set_config('app.organization_id', %(organization_id)s::text, true);
SELECT id AS patient_id, full_name, date_of_birth FROM patients
WHERE organization_id = %(organization_id)s AND last_name = %(last_name)s AND status = 'active' ORDER BY first_name LIMIT 20;
INSERT INTO audit_logs (organization_id, user_id, action, resource_type, resource_id)
VALUES (%(organization_id)s, %(user_id)s, 'patient.viewed', 'patient', %(patient_id)s);
SELECT id, kind, lower(during) AS starts FROM encounters WHERE patient_id = %(patient_id)s ORDER BY lower(during) DESC LIMIT 10;
SELECT n.id, n.status, n.created_at, u.first_name, u.last_name, u.email FROM notes AS n
JOIN users AS u ON u.id = n.provider_id WHERE n.patient_id = %(patient_id)s ORDER BY n.created_at DESC LIMIT 20;

-- action: my_unsigned_notes weight: 8
SELECT set_config('app.organization_id', %(organization_id)s::text, true);
SELECT id, patient_id, created_at FROM notes WHERE provider_id = %(user_id)s AND signed_at IS NULL ORDER BY created_at;

-- action: edit_draft weight: 5
SELECT set_config('app.organization_id', %(organization_id)s::text, true);
SELECT id AS note_id FROM notes WHERE provider_id = %(user_id)s AND signed_at IS NULL ORDER BY created_at DESC LIMIT 1;
UPDATE notes SET plan = %(note)s WHERE id = %(note_id)s;

-- action: sign_note weight: 2
SELECT set_config('app.organization_id', %(organization_id)s::text, true);
SELECT id AS note_id FROM notes
WHERE provider_id = %(user_id)s AND signed_at IS NULL ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED;
UPDATE notes SET status = 'signed', signed_at = now() WHERE id = %(note_id)s;
INSERT INTO audit_logs (organization_id, user_id, action, resource_type, resource_id)
VALUES (%(organization_id)s, %(user_id)s, 'note.signed', 'note', %(note_id)s);

-- action: write_note weight: 4
SELECT set_config('app.organization_id', %(organization_id)s::text, true);
SELECT id AS encounter_id, patient_id FROM encounters WHERE provider_id = %(user_id)s ORDER BY lower(during) DESC LIMIT 1;
INSERT INTO notes (organization_id, encounter_id, patient_id, provider_id, subjective, assessment, plan)
VALUES (%(organization_id)s, %(encounter_id)s, %(patient_id)s, %(user_id)s, %(note)s, 'Stable.', 'Return in two weeks.');

-- action: search_notes weight: 3
SELECT set_config('app.organization_id', %(organization_id)s::text, true);
SELECT id, patient_id FROM notes WHERE search @@ websearch_to_tsquery('english', 'cardiology restless') LIMIT 20;

-- action: my_audit_trail weight: 3
SELECT action, resource_type, created_at FROM audit_logs WHERE user_id = %(user_id)s ORDER BY created_at DESC LIMIT 50;

-- action: audit_of_the_week weight: 1
SELECT action, count(*) FROM audit_logs WHERE created_at > now() - interval '7 days' GROUP BY action;

-- action: workload weight: 1
SELECT set_config('app.organization_id', %(organization_id)s::text, true);
SELECT provider_id, week, notes, unsigned FROM provider_workload WHERE week > current_date - 28 ORDER BY unsigned DESC LIMIT 20;
