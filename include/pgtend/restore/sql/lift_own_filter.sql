-- Lets the owner of a table see all of its rows, for a transaction that is undone.
ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY
