-- Gives a table of ours to the owner of the live one: the archive belongs to those whose rows are in it.
ALTER TABLE {table} OWNER TO {role}
