-- Writes a sealed month again, its columns in the order that wastes no space between them, its rows in the order in which they are
-- asked for, so that a small index finds a person's rows on few pages.
CREATE TABLE {new} AS SELECT {columns} FROM ONLY {table} ORDER BY {key}
