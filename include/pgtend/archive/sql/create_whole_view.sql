-- Shows live and archived rows together. By the rights and policies of whoever asks, which a plain view would forget; columns
-- by name, so that a new one changes nothing silently.
CREATE OR REPLACE VIEW {view} WITH (security_invoker = true) AS
SELECT {columns} FROM {table}
UNION ALL
SELECT {columns} FROM {archive}
