-- Makes the archive of a table: the same columns, and no default, identity, foreign key, CHECK or index. What was right when it
-- was written is not judged again, a foreign key would lock the table it points at, and months are indexed when they are full.
CREATE TABLE {archive} (LIKE {table} INCLUDING COMMENTS INCLUDING STORAGE INCLUDING COMPRESSION)
PARTITION BY RANGE ({time})
