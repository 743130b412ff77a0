-- Lets statements wait and work longer, or shorter, than they usually may.
SELECT set_config('lock_timeout', %(locks)s, FALSE) AS locks, set_config('statement_timeout', %(works)s, FALSE) AS works
