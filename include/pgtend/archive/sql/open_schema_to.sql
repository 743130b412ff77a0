-- Lets the owner of a table have its archived months in our schema; nobody else gets in there but through the archive itself.
GRANT USAGE, CREATE ON SCHEMA pgtend_archive TO {role}
