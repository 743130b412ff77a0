-- Says from now on that rows are older than a month far enough ahead; what is there already is looked at by the next statement.
ALTER TABLE {table} ADD CONSTRAINT {constraint} CHECK ({condition}) NOT VALID
