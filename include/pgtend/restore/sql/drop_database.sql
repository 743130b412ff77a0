-- Removes a database that a restore did not finish, together with whoever is still connected to it.
DROP DATABASE IF EXISTS {database} WITH (FORCE)
