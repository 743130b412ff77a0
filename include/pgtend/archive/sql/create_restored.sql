-- Makes the table into which a month is brought back, in a schema of its own.
CREATE TABLE {restored} (LIKE {archive} INCLUDING STORAGE INCLUDING COMPRESSION)
