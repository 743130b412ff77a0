-- Tells at the end whether this is still the same server in the same role: a failover in between has let go of all locks.
SELECT
    (SELECT system_identifier FROM pg_control_system())::text AS system_identifier,
    pg_is_in_recovery() AS is_standby,
    (SELECT timeline_id FROM pg_control_checkpoint()) AS timeline
