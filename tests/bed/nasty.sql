-- A database that is as unpleasant as PostgreSQL allows: what a backup must bring back and most tools stumble over.
CREATE EXTENSION IF NOT EXISTS pgcrypto;
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS postgres_fdw;
CREATE SCHEMA "Größe ""quoted"" 'it''s' ; -- x";
CREATE SCHEMA "-leading dash";
CREATE SCHEMA nasty;
SET search_path = nasty, public;

CREATE TYPE mood AS ENUM ('sad', 'it''s ok', 'glücklich');
CREATE DOMAIN posint AS int CHECK (VALUE > 0);
CREATE TYPE pair AS (a int, b text);
CREATE TYPE span AS RANGE (subtype = float8);
CREATE COLLATION german (provider = icu, locale = 'de-u-co-phonebk');

CREATE TABLE "Größe ""quoted"" 'it''s' ; -- x"."table with ""quotes"", ünïcode and 日本"
    ("col umn" int PRIMARY KEY, "Percent %s" text, "semi;colon" text DEFAULT 'a;b''c"d\e');
INSERT INTO "Größe ""quoted"" 'it''s' ; -- x"."table with ""quotes"", ünïcode and 日本"
    SELECT n, E'tab\tnl\nback\\slash \\. \\N ' || n, NULL FROM generate_series(1, 50) AS n;
CREATE TABLE "-leading dash"."--table" (id int); INSERT INTO "-leading dash"."--table" VALUES (1), (NULL);
CREATE TABLE abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk
    (abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk int);

CREATE TABLE everything (
    id bigint GENERATED ALWAYS AS IDENTITY (START 100 INCREMENT 5) PRIMARY KEY,
    twice int GENERATED ALWAYS AS (small * 2) STORED,
    small smallint, amount numeric(20, 5), real real, dbl double precision, flag boolean,
    feeling mood, positive posint, duo pair, spans span, days daterange, many int4multirange,
    words text[], grid int[][], doc jsonb, plain json, blob bytea, ip inet, mac macaddr, bits bit varying(10),
    at timestamptz, day date, clock timetz, gap interval, point point, poly polygon, tsv tsvector, uid uuid,
    money money, xid8 xid8, lsn pg_lsn, name text COLLATE german, varied varchar(9) CHECK (varied IN ('a', 'b', 'c'))
);
INSERT INTO everything (small, amount, real, dbl, flag, feeling, positive, duo, spans, days, many, words, grid, doc,
    plain, blob, ip, mac, bits, at, day, clock, gap, point, poly, tsv, uid, money, xid8, lsn, name, varied)
SELECT n, 'NaN', 'Infinity', 1e-300 * n, n % 2 = 0, 'it''s ok', n, ROW (1, 'x,"y"')::pair, span(n, n + 0.1), '[2020-01-01,)',
    '{[1,3),[7,9)}', ARRAY['a', NULL, '"', '{'], '{{1,2},{3,4}}', jsonb_build_object('k', n, 'ü', NULL), '{"b" : 1, "a":2}',
    decode(md5(n::text), 'hex'), '10.0.0.1/8', '08:00:2b:01:02:03', B'101', 'infinity', '0044-03-15 BC', '12:00+02',
    '-1 year 3 days -04:05:06.789', '(1,2)', '((0,0),(1,1),(2,0))', 'a:1 b:2', md5(n::text)::uuid, '12.34', '99',
    '16/B374D848', 'Ärger', 'b'
FROM generate_series(1, 300) AS n;

CREATE TABLE parent (id int, note text); CREATE TABLE child (extra int) INHERITS (parent);
INSERT INTO parent VALUES (1, 'p'); INSERT INTO child VALUES (2, 'c', 3);
CREATE TABLE booking (room int, during tstzrange, EXCLUDE USING gist (room WITH =, during WITH &&) DEFERRABLE INITIALLY DEFERRED);
INSERT INTO booking VALUES (1, '[2026-01-01,2026-01-02)'), (1, '[2026-01-02,2026-01-03)');
CREATE TABLE node (id int PRIMARY KEY, up int REFERENCES node DEFERRABLE INITIALLY DEFERRED);
BEGIN; INSERT INTO node VALUES (1, 2), (2, 1); COMMIT;
CREATE TABLE late (id int); INSERT INTO late VALUES (-1); ALTER TABLE late ADD CONSTRAINT later CHECK (id > 0) NOT VALID;

CREATE TABLE event (at date NOT NULL, id int, payload text) PARTITION BY RANGE (at);
CREATE TABLE event_2025 PARTITION OF event FOR VALUES FROM (MINVALUE) TO ('2026-01-01') PARTITION BY LIST (id);
CREATE TABLE event_2025_some PARTITION OF event_2025 FOR VALUES IN (1, NULL);
CREATE TABLE event_2025_rest PARTITION OF event_2025 DEFAULT;
CREATE TABLE event_2026 (payload text, id int, dropped int, at date NOT NULL); ALTER TABLE event_2026 DROP COLUMN dropped;
ALTER TABLE event ATTACH PARTITION event_2026 FOR VALUES FROM ('2026-01-01') TO (MAXVALUE);
CREATE INDEX ON event (at); CREATE UNIQUE INDEX ON event_2026 (at) WHERE id > 5;
INSERT INTO event SELECT '2025-06-01'::date + n, n % 7, repeat('p', n % 90) FROM generate_series(1, 400) AS n;
CREATE TABLE hashed (id int) PARTITION BY HASH (id);
DO $$ BEGIN FOR n IN 0..59 LOOP EXECUTE format('CREATE TABLE hashed_%s PARTITION OF hashed FOR VALUES WITH (MODULUS 60, REMAINDER %s)', n, n); END LOOP; END $$;
INSERT INTO hashed SELECT generate_series(1, 500);

CREATE TABLE secret (owner name, what text); ALTER TABLE secret ENABLE ROW LEVEL SECURITY; ALTER TABLE secret FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON secret FOR SELECT USING (owner = current_user); INSERT INTO secret VALUES ('nobody', 'x'), ('somebody', 'y');
CREATE UNLOGGED TABLE scratch (id int); INSERT INTO scratch SELECT generate_series(1, 20);
CREATE TABLE "ä sequence's table" (id serial); CREATE SEQUENCE down INCREMENT -3 MAXVALUE 100 CYCLE; SELECT nextval('down'), nextval('down');
CREATE SEQUENCE never; SELECT nextval('"ä sequence''s table_id_seq"') FROM generate_series(1, 7);

CREATE FUNCTION plus_one(i int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT i + 1';
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN NEW.note := 'touched; $$ ' || NEW.note; RETURN NEW; END $body$;
CREATE PROCEDURE nothing() LANGUAGE plpgsql AS $$ BEGIN END $$; CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
CREATE TRIGGER touching BEFORE INSERT ON parent FOR EACH ROW EXECUTE FUNCTION touch(); ALTER TABLE parent DISABLE TRIGGER touching;
CREATE RULE quiet AS ON DELETE TO late DO INSTEAD NOTHING;
CREATE INDEX computed ON everything (plus_one(small)) WHERE flag; CREATE STATISTICS stat (dependencies) ON small, flag FROM everything;
CREATE VIEW v1 AS SELECT id, feeling, varied FROM everything WHERE varied IN ('a', 'b'); CREATE VIEW v2 WITH (security_barrier) AS SELECT * FROM v1;
CREATE MATERIALIZED VIEW m1 AS SELECT count(*) AS n FROM v2; CREATE UNIQUE INDEX ON m1 (n);
CREATE MATERIALIZED VIEW m2 AS SELECT n + 1 AS n FROM m1 WITH NO DATA;
CREATE FUNCTION noted() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$; CREATE EVENT TRIGGER noticing ON ddl_command_end EXECUTE FUNCTION noted();
CREATE SERVER elsewhere FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '192.0.2.1'); CREATE FOREIGN TABLE far (id int) SERVER elsewhere;
CREATE PUBLICATION news FOR TABLE parent;
SELECT lo_from_bytea(0, decode(repeat('00ff', 50000), 'hex')); COMMENT ON TABLE everything IS E'it''s\nmany; lines -- \\ü';
COMMENT ON COLUMN everything.small IS 'small %s'; COMMENT ON SCHEMA nasty IS 'c';
CREATE TABLE wide (id int, text text); INSERT INTO wide VALUES (1, repeat('0123456789abcdef', 262144));
CREATE TABLE empty (); INSERT INTO empty DEFAULT VALUES;
CREATE TABLE referenced (id int PRIMARY KEY); ALTER TABLE referenced CLUSTER ON referenced_pkey; ALTER TABLE referenced REPLICA IDENTITY FULL;
GRANT SELECT ON everything TO PUBLIC; GRANT SELECT (small) ON everything TO PUBLIC; ALTER DEFAULT PRIVILEGES IN SCHEMA nasty GRANT SELECT ON TABLES TO PUBLIC;

CREATE FUNCTION half(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT length($1) = length($2)';
CREATE FUNCTION mood_number(mood) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE OPERATOR === (LEFTARG = text, RIGHTARG = text, FUNCTION = half); CREATE CAST (mood AS int) WITH FUNCTION mood_number(mood) AS ASSIGNMENT;
CREATE OPERATOR CLASS by_length FOR TYPE int USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(int, int);
CREATE TEXT SEARCH DICTIONARY stemmed (TEMPLATE = snowball, LANGUAGE = 'german'); CREATE TEXT SEARCH CONFIGURATION medical (COPY = simple);
ALTER TEXT SEARCH CONFIGURATION medical ALTER MAPPING FOR word WITH stemmed, simple;
CREATE USER MAPPING FOR PUBLIC SERVER elsewhere OPTIONS (user 'nobody');
CREATE PUBLICATION pickings FOR TABLE node (id) WHERE (id > 1); CREATE PUBLICATION shelves FOR TABLES IN SCHEMA "-leading dash";
ALTER TABLE everything SET (fillfactor = 70, autovacuum_enabled = false); ALTER TABLE everything ALTER small SET STATISTICS 700, ALTER doc SET COMPRESSION pglz;
ALTER TABLE everything ALTER small SET (n_distinct = -0.5);
COMMENT ON TRIGGER touching ON parent IS 'x'; COMMENT ON PUBLICATION news IS 'y'; COMMENT ON CAST (mood AS int) IS 'z';
REVOKE EXECUTE ON FUNCTION plus_one FROM PUBLIC; GRANT USAGE ON SCHEMA nasty TO PUBLIC; REVOKE USAGE ON TYPE mood FROM PUBLIC;
GRANT USAGE ON FOREIGN SERVER elsewhere TO PUBLIC;
SELECT lo_create(4242); GRANT SELECT ON LARGE OBJECT 4242 TO PUBLIC; COMMENT ON LARGE OBJECT 4242 IS 'lo';
