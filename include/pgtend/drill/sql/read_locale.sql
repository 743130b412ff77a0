-- How a database reads and sorts, and by which version of its rules: an index built by another version misleads.
SELECT
    pg_encoding_to_char(d.encoding)::text AS encoding,
    d.datcollate::text AS collation,
    d.datctype::text AS ctype,
    COALESCE(to_jsonb(d) ->> 'datcollversion', '') AS collation_version
FROM pg_database AS d
WHERE d.datname = current_database()
