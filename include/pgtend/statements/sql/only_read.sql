-- Nothing that a plan makes the server do can change anything.
SET TRANSACTION READ ONLY
