-- Takes back what the restorer needed only while rows were loaded.
REVOKE SELECT, INSERT ON {table} FROM {role}
