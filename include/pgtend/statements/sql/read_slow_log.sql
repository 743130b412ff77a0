-- What the server logs about slow statements of new sessions here, in milliseconds; -1 is nothing.
SELECT
    (extract(epoch FROM nullif(current_setting('log_min_duration_statement'), '-1')::interval) * 1000)::float8 AS statements_ms,
    (extract(epoch FROM nullif(current_setting('auto_explain.log_min_duration', true), '-1')::interval) * 1000)::float8
        AS plans_ms,
    current_setting('auto_explain.log_min_duration', true) IS NOT NULL AS can_explain,
    coalesce(current_setting('log_parameter_max_length', true), '')::text AS parameters,
    quote_ident(current_database())::text AS sql_database,
    quote_ident(current_user)::text AS sql_role
