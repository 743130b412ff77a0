-- What is true of the whole database and must be known to make another one like it. Settings with a dot in their name
-- belong to applications, which keep secrets there, so only their names are told.
SELECT
    d.datname::text AS database,
    pg_get_userbyid(d.datdba)::text AS owner,
    current_setting('server_version_num')::int AS version,
    (SELECT system_identifier FROM pg_control_system())::text AS system_identifier,
    pg_is_in_recovery() AS is_standby,
    pg_encoding_to_char(d.encoding)::text AS encoding,
    d.datcollate::text AS collation,
    d.datctype::text AS ctype,
    CASE COALESCE(to_jsonb(d) ->> 'datlocprovider', 'c') WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END AS locale_provider,
    COALESCE(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale', '') AS locale,
    COALESCE(to_jsonb(d) ->> 'datcollversion', '') AS collation_version,
    pg_database_size(d.oid) AS size,
    ARRAY(
        SELECT CASE WHEN split_part(entry, '=', 1) LIKE '%%.%%' THEN split_part(entry, '=', 1) || '=(not shown)' ELSE entry END
        FROM pg_db_role_setting AS s, unnest(s.setconfig) AS entry
        WHERE s.setdatabase = d.oid AND s.setrole = 0
        ORDER BY 1
    ) AS settings
FROM pg_database AS d
WHERE d.datname = current_database()
