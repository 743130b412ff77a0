"""Every form of statement in which a secret may stand, each with one planted.

The word SECRET with a number stands only where people write values: in literals, bodies, comments and bare settings.
"""

from __future__ import annotations

from dataclasses import dataclass

WORD = "SECRET"
NUMBER = "775533991177"
"""A number that nothing else in a ledger is likely to hold."""

PREPARATION = (
    "CREATE TABLE public.patients (id int PRIMARY KEY, name text, state text, seen_at timestamptz, weight numeric)",
    "CREATE TABLE public.months (id int, at date) PARTITION BY RANGE (at)",
    "CREATE TABLE public.kinds (kind text) PARTITION BY LIST (kind)",
    "CREATE ROLE {role}",
    "CREATE FUNCTION public.greet(text) RETURNS text LANGUAGE sql AS 'SELECT $1'",
    "CREATE PROCEDURE public.act(text) LANGUAGE plpgsql AS 'BEGIN NULL; END'",
    "CREATE FUNCTION public.fire() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
)
FORMS = (
    # rows
    "SELECT * FROM public.patients WHERE name = 'SECRET-1'",
    "SELECT 'SECRET-2' AS label, U&'SECRET-3', E'SECRET\\'4', N'SECRET-5', $tag$SECRET-6$tag$",
    "SELECT * FROM public.patients WHERE name IN ('SECRET-7', 'SECRET-8') AND weight > 775533991177",
    "SELECT 1 /* SECRET-9 /* SECRET-10 */ */ + 2 -- SECRET-11",
    "/* SECRET-12 */ SELECT 775533991177.5e1, 0.775533991177",
    "INSERT INTO public.patients VALUES (1, 'SECRET-13') ON CONFLICT (id) DO UPDATE SET name = 'SECRET-15'",
    "UPDATE public.patients SET name = 'SECRET-16' WHERE state = 'SECRET-17'",
    "DELETE FROM public.patients WHERE name LIKE 'SECRET-18%'",
    "MERGE INTO public.patients AS p USING (VALUES (2, 'SECRET-19')) AS v (a, b) ON id = a WHEN MATCHED THEN DELETE",
    "MERGE INTO public.patients USING public.kinds ON false WHEN NOT MATCHED THEN INSERT (name) VALUES ('SECRET-20')",
    "WITH x AS (SELECT 'SECRET-21' AS a) SELECT a FROM x WHERE a <> 'SECRET-22'",
    "VALUES ('SECRET-23')",
    "SELECT public.greet('SECRET-24')",
    "SELECT interval '775533991177 s', date '2026-01-01', '{\"a\": \"SECRET-25\"}'::jsonb ->> 'SECRET-26'",
    # statements that are stored as they were written
    "CREATE ROLE {role}_a PASSWORD 'SECRET-27'",
    "ALTER ROLE {role} PASSWORD 'SECRET-28'",
    "ALTER ROLE {role} SET application_name = 'SECRET-29'",
    "ALTER ROLE {role} SET my.word TO SECRET_30",
    "ALTER ROLE {role} VALID UNTIL '2031-12-24 SECRET' ",
    "ALTER DATABASE {database} SET my.word = 'SECRET-31'",
    "SET my.word = 'SECRET-32'",
    "SET my.word TO SECRET_33",
    "SET SESSION my.word TO SECRET_34, 'SECRET-35'",
    "SET LOCAL application_name = SECRET_36",
    "COMMENT ON TABLE public.patients IS 'SECRET-37'",
    "DO $$ BEGIN PERFORM 'SECRET-38'; END $$",
    "DO LANGUAGE plpgsql 'BEGIN PERFORM ''SECRET-39''; END'",
    "CREATE FUNCTION public.f() RETURNS text LANGUAGE sql AS $body$ SELECT 'SECRET-40' $body$",
    "CREATE FUNCTION public.g() RETURNS text LANGUAGE sql RETURN 'SECRET-41'",
    "CREATE FUNCTION public.h() RETURNS text LANGUAGE sql SET my.word TO SECRET_42 AS 'SELECT 1::text'",
    "CREATE PROCEDURE public.p() LANGUAGE sql BEGIN ATOMIC SELECT 'SECRET-43'; END",
    "CALL public.act('SECRET-44')",
    "CREATE VIEW public.v AS SELECT * FROM public.patients WHERE name = 'SECRET-45'",
    "CREATE MATERIALIZED VIEW public.mv AS SELECT * FROM public.patients WHERE name = 'SECRET-46'",
    "CREATE TABLE public.copied AS SELECT 'SECRET-47' AS a",
    "SELECT 'SECRET-48' AS a INTO public.selected",
    "CREATE TABLE public.checked (a text DEFAULT 'SECRET-49', CHECK (a <> 'SECRET-50'))",
    "ALTER TABLE public.patients ADD COLUMN note text DEFAULT 'SECRET-51'",
    "ALTER TABLE public.patients ALTER COLUMN state SET DEFAULT 'SECRET-52'",
    "ALTER TABLE public.patients ADD CONSTRAINT named CHECK (name <> 'SECRET-53')",
    "CREATE DOMAIN public.d AS text CHECK (VALUE <> 'SECRET-54')",
    "CREATE TYPE public.e AS ENUM ('SECRET-55')",
    "ALTER TYPE public.e ADD VALUE 'SECRET-56'",
    "CREATE INDEX partial ON public.patients (id) WHERE state = 'SECRET-57'",
    "CREATE INDEX by_word ON public.patients ((name || 'SECRET-58'))",
    "CREATE STATISTICS public.st ON (name || 'SECRET-59'), id FROM public.patients",
    "CREATE POLICY own ON public.patients USING (name = 'SECRET-60') WITH CHECK (name <> 'SECRET-61')",
    "CREATE RULE quiet AS ON INSERT TO public.kinds DO ALSO UPDATE public.patients SET name = 'SECRET-62'",
    "CREATE TRIGGER t AFTER UPDATE ON public.patients FOR EACH ROW EXECUTE FUNCTION public.fire('SECRET-64')",
    "CREATE POLICY other ON public.kinds FOR SELECT USING (kind IN ('SECRET-63', 'SECRET-93'))",
    "CREATE TABLE public.months_1 PARTITION OF public.months FOR VALUES FROM ('2031-12-24') TO ('2031-12-25')",
    "CREATE TABLE public.kinds_1 PARTITION OF public.kinds FOR VALUES IN ('SECRET-65')",
    "CREATE AGGREGATE public.agg (text) (SFUNC = textcat, STYPE = text, INITCOND = 'SECRET-66')",
    "CREATE PUBLICATION pub FOR TABLE public.patients WHERE (id > 775533991)",
    "CREATE SUBSCRIPTION sub CONNECTION 'host=/nowhere password=SECRET-67' PUBLICATION pub WITH (connect = false)",
    "CREATE FOREIGN DATA WRAPPER w OPTIONS (word 'SECRET-68')",
    "CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (host 'SECRET-69')",
    "CREATE USER MAPPING FOR {role} SERVER s OPTIONS (password 'SECRET-70')",
    "CREATE FOREIGN TABLE public.ft (a text) SERVER s OPTIONS (path 'SECRET-71')",
    "PREPARE plan AS SELECT * FROM public.patients WHERE name = 'SECRET-72'",
    "PREPARE other (text) AS SELECT $1 || 'SECRET-73'",
    "EXECUTE other('SECRET-74')",
    "DECLARE c CURSOR WITH HOLD FOR SELECT * FROM public.patients WHERE name = 'SECRET-75'",
    "EXPLAIN SELECT * FROM public.patients WHERE name = 'SECRET-76'",
    "EXPLAIN (ANALYZE, COSTS off) SELECT 'SECRET-77'",
    "NOTIFY channel, 'SECRET-78'",
    "COPY (SELECT 'SECRET-79') TO '/dev/null'",
    "COPY public.patients (name) TO '/dev/null' WITH (FORMAT csv, NULL 'SECRET-80')",
    "COPY (SELECT 1) TO PROGRAM 'true SECRET-81'",
    "IMPORT FOREIGN SCHEMA x FROM SERVER s INTO public OPTIONS (word 'SECRET-82')",
    "ALTER SERVER s OPTIONS (SET host 'SECRET-83')",
    "ALTER TABLE public.patients ALTER COLUMN weight TYPE text USING weight || 'SECRET-84'",
    "SET ROLE 'SECRET-85'",
    "SECURITY LABEL ON TABLE public.patients IS 'SECRET-86'",
    "CREATE EVENT TRIGGER et ON ddl_command_start WHEN TAG IN ('SECRET-87') EXECUTE FUNCTION public.fire()",
    "CREATE TEXT SEARCH DICTIONARY public.dict (TEMPLATE = simple, STOPWORDS = 'SECRET-88')",
    "CREATE TABLESPACE ts LOCATION '/SECRET-89'",
    "LOAD 'SECRET-90'",
    "ALTER SYSTEM SET log_line_prefix = 'SECRET-91'",
    "SET TIME ZONE 'UTC-1'",
    "SELECT 'SECRET-92",
)


@dataclass(frozen=True, slots=True)
class Leak:
    """A line of a dump in which a secret stands."""

    line: str


def leaks(dump: str) -> list[Leak]:
    """Find the secrets in a dump, whatever their letters."""
    lowered = (WORD.lower(), NUMBER)
    return [Leak(line[:200]) for line in dump.splitlines() if any(word in line.lower() for word in lowered)]
