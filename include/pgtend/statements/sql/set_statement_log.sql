-- Lets the server log slow statements of this database, and of no other.
ALTER DATABASE {database} SET log_min_duration_statement = {milliseconds}
