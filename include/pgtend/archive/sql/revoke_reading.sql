-- Takes the right to read the archive from those who may not read the live table any more.
REVOKE SELECT ON {table} FROM {roles}
