-- The restored database belongs to whom the original belonged to.
ALTER DATABASE {name} OWNER TO {owner}
