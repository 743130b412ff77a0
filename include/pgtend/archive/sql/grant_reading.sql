-- Lets those read the archive who may read the live table.
GRANT SELECT ON {table} TO {roles}
