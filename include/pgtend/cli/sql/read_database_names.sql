-- Names the databases of a server that somebody may have put rows into: `postgres` is where tools connect to.
SELECT datname::text AS name
FROM pg_database
WHERE datallowconn AND NOT datistemplate AND datname <> 'postgres'
ORDER BY datname
