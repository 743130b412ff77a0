-- Lets nobody change the columns of a table, or point a foreign key at it, until the end of a batch. It keeps out nobody whom the
-- deletion of its rows would not keep out.
LOCK TABLE ONLY {table} IN ROW EXCLUSIVE MODE
