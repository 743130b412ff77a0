-- Settings that wait for a restart, and those that let a crash destroy data or let dead rows pile up for ever.
SELECT
    (count(*) FILTER (WHERE s.pending_restart))::int AS pending,
    coalesce(string_agg(s.name, ', ' ORDER BY s.name) FILTER (WHERE s.pending_restart), '') AS pending_names,
    (
        count(*) FILTER (
            WHERE
            s.name IN ('fsync', 'full_page_writes', 'autovacuum', 'track_counts', 'zero_damaged_pages') AND s.setting
            <> CASE s.name WHEN 'zero_damaged_pages' THEN 'off' ELSE 'on' END
        )
    )::int AS unsafe,
    coalesce(
        string_agg(s.name || ' = ' || s.setting, ', ' ORDER BY s.name) FILTER (
            WHERE
            s.name IN ('fsync', 'full_page_writes', 'autovacuum', 'track_counts', 'zero_damaged_pages') AND s.setting
            <> CASE s.name WHEN 'zero_damaged_pages' THEN 'off' ELSE 'on' END
        ), ''
    ) AS unsafe_names
FROM pg_settings AS s
