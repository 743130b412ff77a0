-- Takes rows out of what was brought back: of people who were erased meanwhile, or of everybody but one.
DELETE FROM ONLY {table} WHERE {condition}
