-- Makes rows look the same in text on every server, whatever the role or the database is set to, because fingerprints
-- are made of that text.
SELECT set_config(%(name)s, %(value)s, false) AS value
