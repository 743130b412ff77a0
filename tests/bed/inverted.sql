CREATE TABLE clinic.notes (
    id bigint PRIMARY KEY, facts jsonb, marks int[], words text[], note text, tokens tsvector
) WITH (autovacuum_enabled = off);
CREATE INDEX notes_facts ON clinic.notes USING gin (facts);
CREATE INDEX notes_facts_path ON clinic.notes USING gin (facts jsonb_path_ops);
CREATE INDEX notes_marks ON clinic.notes USING gin (marks);
CREATE INDEX notes_words ON clinic.notes USING gin (words);
CREATE INDEX notes_trigrams ON clinic.notes USING gin (note public.gin_trgm_ops);
CREATE INDEX notes_tokens ON clinic.notes USING gin (tokens);
INSERT INTO clinic.notes (id, facts, marks, words, note)
SELECT
    n, jsonb_build_object('step', mod(n, 50), 'room', mod(n, 300), 'bed', n / 40, 'open', mod(n, 3) = 0),
    ARRAY[mod(n, 7), mod(n, 900), n / 10], ARRAY['ward ' || mod(n, 12), md5((n / 20)::text)],
    left(md5(mod(n, 4000)::text), 8) || ' ' || left(md5(n::text), 6)
FROM generate_series(1, 6000) AS n;
UPDATE clinic.notes SET tokens = to_tsvector('simple', array_to_string(words, ' ') || ' ' || note);
UPDATE clinic.notes SET facts = facts || '{"seen": 1}', marks = marks || 5 WHERE mod(id, 3) <> 0;
UPDATE clinic.notes SET note = note || ' seen', words = words || 'seen'::text WHERE mod(id, 2) = 0;
DELETE FROM clinic.notes WHERE mod(id, 5) < 2;
VACUUM ANALYZE clinic.notes;
