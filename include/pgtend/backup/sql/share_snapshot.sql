-- Lets this transaction see exactly what the one sees that holds the locks.
SET TRANSACTION SNAPSHOT {name}
