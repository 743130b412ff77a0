CREATE TABLE clinic.samples (
    id int, few int, sixty int, pairs int, skewed int, beside int, mostly int, bare int, word text, ward int, shift int
) WITH (autovacuum_enabled = off);
INSERT INTO clinic.samples
SELECT
    n, mod(h, 500), mod(h, 300000 / 60), mod(h, 300000 / 2),
    power(300000, hashint8(n + 7)::float8 / 4294967296 + 0.5)::int, n / 20,
    CASE WHEN mod(n, 5) = 0 THEN mod(h, 6000) ELSE -n END, CASE WHEN mod(n, 10) >= 7 THEN mod(h, 30000) END,
    'Word ' || repeat('x', mod(mod(h, 300000 / 25), 30)::int) || mod(h, 300000 / 25), mod(h, 9000),
    CASE WHEN mod(n, 3) > 0 THEN mod(n, 3) END
FROM generate_series(1, 300000) AS n, LATERAL (SELECT abs(hashint8(n)::bigint) AS h) AS hashed;
DELETE FROM clinic.samples WHERE mod(id, 5) < 2;
VACUUM ANALYZE clinic.samples;
CREATE INDEX samples_few ON clinic.samples (few);
CREATE INDEX samples_sixty ON clinic.samples (sixty DESC);
CREATE INDEX samples_pairs ON clinic.samples (pairs);
CREATE INDEX samples_skewed ON clinic.samples (skewed);
CREATE INDEX samples_beside ON clinic.samples (beside);
CREATE INDEX samples_mostly ON clinic.samples (mostly);
CREATE INDEX samples_bare ON clinic.samples (bare);
CREATE INDEX samples_word ON clinic.samples (word COLLATE "C");
CREATE INDEX samples_lower ON clinic.samples (lower(word), ward);
CREATE INDEX samples_shift ON clinic.samples (ward, shift);
CREATE INDEX samples_ward ON clinic.samples (ward) WHERE shift IS NOT NULL;
