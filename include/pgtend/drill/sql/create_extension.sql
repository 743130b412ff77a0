-- Installs an extension in the very version that was backed up, before pg_restore would take the newest.
CREATE EXTENSION IF NOT EXISTS {extension} SCHEMA {schema} VERSION {version} CASCADE
