-- Lets this transaction wait for locks no longer than others may wait behind it.
SELECT set_config('lock_timeout', '100ms', TRUE) AS patience
