-- The restorer makes schemas in the copy until their owners get them.
ALTER DATABASE {database} OWNER TO {role}
