-- Everything by which a server speaks to others of its own accord: an archive, a primary, standbys, libraries it loads.
SELECT name::text AS name, setting::text AS setting
FROM pg_settings
WHERE name IN ('archive_mode', 'primary_conninfo', 'listen_addresses', 'max_wal_senders', 'max_logical_replication_workers',
    'shared_preload_libraries', 'session_preload_libraries', 'local_preload_libraries')
ORDER BY name
