-- The clock of the server: what it says about its indexes is true of this moment.
SELECT clock_timestamp() AS read_at
