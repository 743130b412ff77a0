-- What all five seeds invent with. Everything is a function of a row's number and a salt, never of random(): the same
-- size and day give the same rows on every server and with every plan.

CREATE OR REPLACE FUNCTION pg_temp.amount(what text) RETURNS integer LANGUAGE sql STABLE
    AS $$ SELECT current_setting('seed.' || what)::integer $$;

CREATE OR REPLACE FUNCTION pg_temp.today() RETURNS date LANGUAGE sql STABLE
    AS $$ SELECT current_setting('seed.today')::date $$;

-- A number from 0 up to 1.
CREATE OR REPLACE FUNCTION pg_temp.dice(i bigint, salt integer) RETURNS double precision LANGUAGE sql IMMUTABLE
    AS $$ SELECT ((hashint8extended(i, salt) >> 11) & 9007199254740991)::double precision / 9007199254740992.0 $$;

-- Near 0 mostly, beyond 3 never: four dice make a good enough bell.
CREATE OR REPLACE FUNCTION pg_temp.bell(i bigint, salt integer) RETURNS double precision LANGUAGE sql IMMUTABLE
    AS $$ SELECT (pg_temp.dice(i, salt) + pg_temp.dice(i, salt + 1) + pg_temp.dice(i, salt + 2)
                  + pg_temp.dice(i, salt + 3) - 2.0) * 1.5 $$;

-- From 1 to `top`, low numbers far more often: a few users make most of the rows.
CREATE OR REPLACE FUNCTION pg_temp.skewed(i bigint, salt integer, top integer) RETURNS integer LANGUAGE sql IMMUTABLE
    AS $$ SELECT 1 + floor(top * power(pg_temp.dice(i, salt), 2.2))::integer $$;

CREATE OR REPLACE FUNCTION pg_temp.one_of(options text[], roll double precision) RETURNS text LANGUAGE sql IMMUTABLE
    AS $$ SELECT options[1 + floor(roll * cardinality(options))::integer] $$;

-- A time of day as people have it: much in the morning and the evening, little at night.
CREATE OR REPLACE FUNCTION pg_temp.hour_of_day(i bigint, salt integer) RETURNS interval LANGUAGE sql IMMUTABLE
    AS $$ SELECT interval '1 second' * floor(3600 * CASE
              WHEN pg_temp.dice(i, salt + 4) < 0.45 THEN 8.0 + pg_temp.bell(i, salt) * 0.9
              WHEN pg_temp.dice(i, salt + 4) < 0.90 THEN 19.5 + pg_temp.bell(i, salt) * 1.2
              ELSE pg_temp.dice(i, salt + 5) * 23.9 END) $$;

CREATE OR REPLACE FUNCTION pg_temp.clamp(x double precision, low double precision, high double precision)
    RETURNS double precision LANGUAGE sql IMMUTABLE AS $$ SELECT least(high, greatest(low, x)) $$;

-- Names nobody bears.
CREATE OR REPLACE FUNCTION pg_temp.first_name(i bigint) RETURNS text LANGUAGE sql IMMUTABLE
    AS $$ SELECT pg_temp.one_of('{Bre,Tal,Quo,Zin,Fer,Mox,Ul,Dra,Pli,Vek,Ono,Sib}', pg_temp.dice(i, 901))
              || pg_temp.one_of('{lin,dor,ska,vi,mar,zo,tta,rum,fen,lux}', pg_temp.dice(i, 902)) $$;

CREATE OR REPLACE FUNCTION pg_temp.last_name(i bigint) RETURNS text LANGUAGE sql IMMUTABLE
    AS $$ SELECT pg_temp.one_of('{Example,Sample,Testing,Placeholder,Madeup,Fictive,Invented,Dummy}', pg_temp.dice(i, 903))
              || pg_temp.one_of('{son,berg,wood,field,ton,ski,ova,worth}', pg_temp.dice(i, 904)) $$;

-- Free text of one or two sentences.
CREATE OR REPLACE FUNCTION pg_temp.note(i bigint, salt integer) RETURNS text LANGUAGE sql IMMUTABLE
    AS $$ SELECT pg_temp.one_of('{Felt,Seemed,Was,Stayed,Woke up,Came home,Started out}', pg_temp.dice(i, salt))
              || ' ' || pg_temp.one_of('{tired,rested,calm,restless,light-headed,strong,stiff,hungry,steady,a little low}',
                                       pg_temp.dice(i, salt + 1))
              || ' ' || pg_temp.one_of('{after the walk,before breakfast,since the new dose,during the night,at work,'
                                       'after lunch,on the stairs,while reading,for most of the day}',
                                       pg_temp.dice(i, salt + 2))
              || '.' || CASE WHEN pg_temp.dice(i, salt + 3) < 0.5 THEN '' ELSE
                 ' ' || pg_temp.one_of('{Drank more water,Skipped one meal,Slept eight hours,Took it with food,'
                                       'Walked to the market,Cooked at home,Forgot the evening dose,Asked for advice}',
                                       pg_temp.dice(i, salt + 4)) || '.' END $$;

-- The same thing always has the same identifier.
CREATE OR REPLACE FUNCTION pg_temp.uuid_of(kind text, i bigint) RETURNS uuid LANGUAGE sql IMMUTABLE
    AS $$ SELECT md5(kind || i::text)::uuid $$;
