-- Scribemed. Identifiers are made from the number of the row, so that tables can refer to each other without asking.
-- Amounts: organizations, users, patients, encounters, audit_lines, days.

INSERT INTO organizations (id, name, slug, status, settings, created_at)
SELECT pg_temp.uuid_of('organization', i), 'Invented Clinic ' || i, 'Clinic-' || i,
       CASE WHEN i = pg_temp.amount('organizations') THEN 'suspended' ELSE 'active' END,
       CASE WHEN i % 2 = 0 THEN jsonb_build_object('templates', jsonb_build_array('soap', 'progress'), 'retention', jsonb_build_object('years', 7)) ELSE '{}' END,
       pg_temp.today() - interval '1 day' * (pg_temp.amount('days') + 30)
FROM generate_series(1, pg_temp.amount('organizations')) AS i
ORDER BY i;

INSERT INTO users (id, organization_id, email, password_hash, first_name, last_name, role, specialties, deleted_at, created_at)
SELECT pg_temp.uuid_of('user', i), pg_temp.uuid_of('organization', 1 + i % pg_temp.amount('organizations')),
       -- Somebody left and came back: the same address, once deleted and once living.
       'Clinician' || CASE WHEN i % 50 = 49 THEN i + 1 ELSE i END || '@scribemed.example', 'argon2$' || md5('scribemed' || i),
       pg_temp.first_name(i), pg_temp.last_name(i), pg_temp.one_of('{provider,provider,provider,nurse,staff,admin}', pg_temp.dice(i, 1)),
       CASE WHEN pg_temp.dice(i, 2) < 0.5 THEN ARRAY[pg_temp.one_of('{cardiology,pediatrics,oncology,family}', pg_temp.dice(i, 3))] ELSE '{}' END,
       CASE WHEN i % 50 = 49 THEN pg_temp.today() - interval '60 days' END,
       pg_temp.today() - interval '1 day' * pg_temp.amount('days')
FROM generate_series(1, pg_temp.amount('users')) AS i
ORDER BY i;

INSERT INTO sessions (id, user_id, token_digest, user_agent, ip_address, created_at, expires_at, revoked_at)
SELECT pg_temp.uuid_of('session', i), pg_temp.uuid_of('user', 1 + i % pg_temp.amount('users')), sha256(('scribe' || i)::bytea),
       CASE WHEN i % 5 > 0 THEN 'demo-browser/' || i % 20 END, ('198.51.100.' || i % 250)::inet,
       pg_temp.today() - (i % 40)::integer - interval '3 hours', pg_temp.today() - (i % 40)::integer + interval '7 days',
       CASE WHEN i % 3 = 0 THEN pg_temp.today() - (i % 40)::integer - interval '1 hour' END
FROM generate_series(1, pg_temp.amount('users') * 12) AS i
ORDER BY i;

INSERT INTO patients (id, organization_id, mrn, first_name, last_name, date_of_birth, status, allergies, contact, created_at)
SELECT pg_temp.uuid_of('patient', i), pg_temp.uuid_of('organization', 1 + i % pg_temp.amount('organizations')),
       'MRN' || lpad(i::text, 8, '0'), pg_temp.first_name(i + 1000000), pg_temp.last_name(i + 1000000),
       date '1930-01-01' + floor(pg_temp.dice(i, 10) * 33000)::integer,
       CASE WHEN pg_temp.dice(i, 11) < 0.86 THEN 'active' WHEN pg_temp.dice(i, 11) < 0.97 THEN 'inactive' ELSE 'deceased' END,
       CASE WHEN pg_temp.dice(i, 12) < 0.25 THEN ARRAY[pg_temp.one_of('{penicillin,latex,pollen,peanut}', pg_temp.dice(i, 13))] ELSE '{}' END,
       CASE WHEN i % 6 > 0 THEN jsonb_build_object('phone', '+1 555 01' || lpad((i % 100)::text, 2, '0'), 'prefers', pg_temp.one_of('{mail,phone,portal}', pg_temp.dice(i, 14))) END,
       pg_temp.today() - interval '1 day' * floor(pg_temp.amount('days') * (1 - i::double precision / (pg_temp.amount('patients') + 1)))
FROM generate_series(1, pg_temp.amount('patients')) AS i
ORDER BY i;

-- Sixteen half hours a day for each clinician, given out in order, so that nobody is in two rooms at once. Clinician
-- and patient belong to one organization because both numbers leave the same rest.
WITH slot AS (
    SELECT i, 1 + i % pg_temp.amount('users') AS clinician, i / pg_temp.amount('users') AS nth,
           (pg_temp.amount('encounters') / pg_temp.amount('users')) AS most
    FROM generate_series(0, pg_temp.amount('encounters') - 1) AS i
), planned AS (
    SELECT i + 1 AS i, clinician,
           1 + (clinician - 1) % pg_temp.amount('organizations') + pg_temp.amount('organizations')
               * floor((pg_temp.amount('patients') / pg_temp.amount('organizations') - 1) * power(pg_temp.dice(i, 20), 1.5))::integer AS patient,
           pg_temp.today() - interval '1 day' * (1 + (most - nth) * pg_temp.amount('days') / (most + 1))
               + interval '8 hours' + interval '30 minutes' * (i % 16) AS starts
    FROM slot
)
INSERT INTO encounters (id, organization_id, patient_id, provider_id, kind, during, vitals)
SELECT pg_temp.uuid_of('encounter', i), pg_temp.uuid_of('organization', 1 + clinician % pg_temp.amount('organizations')),
       pg_temp.uuid_of('patient', patient), pg_temp.uuid_of('user', clinician),
       pg_temp.one_of('{visit,visit,visit,telehealth,follow_up,urgent}', pg_temp.dice(i, 21)),
       tstzrange(starts, starts + interval '5 minutes' * (3 + floor(pg_temp.dice(i, 22) * 4))),
       CASE WHEN pg_temp.dice(i, 23) < 0.7 THEN jsonb_build_object('pulse', 60 + i % 40, 'bp', jsonb_build_array(110 + i % 40, 70 + i % 20)) END
FROM planned
ORDER BY starts, i;

INSERT INTO notes (id, organization_id, encounter_id, patient_id, provider_id, status, subjective, objective, assessment,
                   plan, transcript_key, created_at, signed_at)
SELECT gen.id, e.organization_id, e.id, e.patient_id, e.provider_id,
       (CASE WHEN gen.roll < 0.06 THEN 'draft' WHEN gen.roll < 0.12 THEN 'pending_review' WHEN gen.roll < 0.95 THEN 'signed' ELSE 'amended' END)::note_status,
       pg_temp.note(gen.k, 30) || ' ' || pg_temp.note(gen.k, 40),
       CASE WHEN gen.roll < 0.8 THEN 'Pulse ' || coalesce(e.vitals ->> 'pulse', 'not taken') || '.' END,
       pg_temp.one_of('{Stable,Improving,Unclear,Seasonal,Chronic and controlled,To be watched}', pg_temp.dice(gen.k, 50)) || '.',
       pg_temp.one_of('{Return in two weeks,Continue as before,Order labs,Adjust dose,Refer to cardiology,Rest and fluids}', pg_temp.dice(gen.k, 51)) || '.',
       CASE WHEN gen.roll < 0.6 THEN 'transcripts/' || gen.id END,
       upper(e.during) + interval '4 minutes',
       CASE WHEN gen.roll >= 0.12 THEN upper(e.during) + interval '3 hours' END
FROM encounters AS e
CROSS JOIN LATERAL (SELECT md5('note' || e.id)::uuid AS id, hashtextextended(e.id::text, 7) AS k,
                           pg_temp.dice(hashtextextended(e.id::text, 7), 29) AS roll) AS gen
WHERE gen.roll < 0.97 OR gen.roll > 0.98
ORDER BY lower(e.during), e.id;

INSERT INTO note_versions (note_id, version, body, digest, saved_by, saved_at)
SELECT n.id, v, body, digest(body::text, 'sha256'), n.provider_id, n.created_at + v * interval '2 minutes'
FROM notes AS n
CROSS JOIN LATERAL generate_series(1, CASE n.status WHEN 'amended' THEN 3 ELSE 1 END) AS v
CROSS JOIN LATERAL (SELECT jsonb_build_object('subjective', n.subjective, 'plan', n.plan, 'revision', v) AS body) AS b
WHERE n.status IN ('amended', 'pending_review')
ORDER BY n.created_at, n.id, v;

INSERT INTO audit_logs (organization_id, user_id, action, resource_type, resource_id, detail, created_at)
SELECT pg_temp.uuid_of('organization', 1 + u.n % pg_temp.amount('organizations')),
       CASE WHEN i % 40 > 0 THEN pg_temp.uuid_of('user', u.n) END,
       pg_temp.one_of('{patient.viewed,patient.viewed,note.viewed,note.signed,session.opened,report.exported}', pg_temp.dice(i, 60)),
       pg_temp.one_of('{patient,note,session}', pg_temp.dice(i, 61)),
       CASE WHEN i % 10 > 0 THEN pg_temp.uuid_of('patient', pg_temp.skewed(i, 62, pg_temp.amount('patients'))) END,
       CASE WHEN i % 6 = 0 THEN jsonb_build_object('ip', '203.0.113.' || i % 250, 'fields', jsonb_build_array('plan', 'status')) END,
       pg_temp.today() - interval '1 day'
           - interval '1 day' * floor(pg_temp.amount('days') * (1 - i::double precision / pg_temp.amount('audit_lines')))
           + pg_temp.hour_of_day(i, 63)
FROM generate_series(1, pg_temp.amount('audit_lines')) AS i
CROSS JOIN LATERAL (SELECT pg_temp.skewed(i, 64, pg_temp.amount('users')) AS n) AS u
ORDER BY i;
