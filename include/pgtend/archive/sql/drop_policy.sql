-- Takes a policy off the archive that the live table has no more, or has otherwise.
DROP POLICY {policy} ON {table}
