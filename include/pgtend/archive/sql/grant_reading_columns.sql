-- Lets those read columns of the archive who may read them in the live table.
GRANT SELECT ({columns}) ON {table} TO {roles}
