-- Tells how we may learn that statistics exist: from the keys of pg_statistic (granted column by column, so that no value
-- from a table can be read), or only for tables whose owner we are.
SELECT
    current_user::text AS role,
    quote_ident(current_user) AS sql_role,
    (
        has_column_privilege('pg_catalog.pg_statistic', 'starelid', 'SELECT')
        AND has_column_privilege('pg_catalog.pg_statistic', 'staattnum', 'SELECT')
        AND has_column_privilege('pg_catalog.pg_statistic', 'stainherit', 'SELECT')
    ) AS may_read_columns,
    has_column_privilege('pg_catalog.pg_statistic_ext_data', 'stxoid', 'SELECT') AS may_read_extended
