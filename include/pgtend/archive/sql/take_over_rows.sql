-- Takes over what was loaded and compared, by the names of the columns.
INSERT INTO {restored} ({columns}) SELECT {columns} FROM ONLY {table}
