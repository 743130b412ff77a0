-- Lets the rows of the copy answer whether production obeys a rule that it never checked.
ALTER TABLE {table} VALIDATE CONSTRAINT {constraint}
