-- Keeps one number that an application told about itself.
-- on: ledger
INSERT INTO reporting.told_metric (database, at, name, unit, value, told_by)
VALUES (
    %(database)s::text, %(at)s::timestamptz, %(name)s::text, %(unit)s::text, %(value)s::float8, %(told_by)s::text
)
