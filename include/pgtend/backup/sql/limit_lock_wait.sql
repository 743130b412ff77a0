-- Lets this transaction wait for a lock only so long that nobody who waits for one of ours is taken for a deadlock.
SELECT set_config('lock_timeout', %(milliseconds)s::text, true) AS value
