-- A prepared statement outlives its transaction.
DEALLOCATE ALL
