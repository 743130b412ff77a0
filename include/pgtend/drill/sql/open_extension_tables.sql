-- Some extensions have tables whose rows are dumped: the restorer loads them, although a superuser made them.
GRANT SELECT, INSERT ON {table} TO {role}
