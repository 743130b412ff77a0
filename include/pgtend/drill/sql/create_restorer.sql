-- The role that loads rows and builds indexes: no superuser, so that what a table's owner planted has no rights either.
-- It may look past row-level security, because it has to count every row.
CREATE ROLE {role} LOGIN NOSUPERUSER BYPASSRLS PASSWORD {password}
