-- Makes each statement see what is committed by then. A snapshot that belonged to the whole transaction would be older than the
-- locks, because the first look at the list of tables would take it.
SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY
