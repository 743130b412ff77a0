-- What PostgreSQL 18 brought: generated columns that are not stored, named NOT NULL, keys over time, rules that nobody enforces.
CREATE EXTENSION btree_gist;
CREATE TABLE generated (a int NOT NULL, b int GENERATED ALWAYS AS (a * 2) VIRTUAL, c int GENERATED ALWAYS AS (a * 3), d int CONSTRAINT d_is_there NOT NULL NO INHERIT);
INSERT INTO generated (a, d) VALUES (1, 1);
ALTER TABLE generated ADD e int; ALTER TABLE generated ADD CONSTRAINT e_is_there NOT NULL e NOT VALID;
CREATE TABLE target (id int PRIMARY KEY);
CREATE TABLE lenient (id int REFERENCES target NOT ENFORCED, x int CHECK (x > 0) NOT ENFORCED); INSERT INTO lenient VALUES (9, -1);
CREATE TABLE price (id int, valid daterange, PRIMARY KEY (id, valid WITHOUT OVERLAPS)); INSERT INTO price VALUES (1, '[2020-01-01,2021-01-01)');
CREATE TABLE bill (id int, valid daterange, FOREIGN KEY (id, PERIOD valid) REFERENCES price (id, PERIOD valid)); INSERT INTO bill VALUES (1, '[2020-02-01,2020-03-01)');
CREATE COLLATION caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE word (t text COLLATE caseless PRIMARY KEY, u text COLLATE pg_c_utf8); INSERT INTO word VALUES ('Abc', 'x');
