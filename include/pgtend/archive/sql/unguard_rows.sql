-- Follows a live table whose policies were switched off.
ALTER TABLE {table} DISABLE ROW LEVEL SECURITY
