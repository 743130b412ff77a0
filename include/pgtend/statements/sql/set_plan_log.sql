-- Lets the server log plans of slow statements of this database, and of no other.
ALTER DATABASE {database} SET auto_explain.log_min_duration = {milliseconds}
