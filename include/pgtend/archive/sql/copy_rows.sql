-- Copies rows of an archived month, all of them or those of one person.
INSERT INTO {restored} ({columns}) SELECT {columns} FROM ONLY {table} WHERE {condition}
