-- Prepares a transaction to take over somebody else's snapshot and to keep it to its end.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY
