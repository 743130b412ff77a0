-- Lets nobody but its owner read a table unless a policy says so.
ALTER TABLE {table} ENABLE ROW LEVEL SECURITY
