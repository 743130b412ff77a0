-- Which versions of which extensions this place of the drill can install.
SELECT name::text AS name, array_agg(version::text ORDER BY version) AS versions
FROM pg_available_extension_versions
GROUP BY name
