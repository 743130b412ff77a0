-- Damage is done behind the back of triggers and foreign keys.
SELECT set_config('session_replication_role', 'replica', false) AS setting
