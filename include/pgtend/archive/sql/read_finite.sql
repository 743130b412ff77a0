-- Tells whether every moment in some columns is one that a file can hold: infinity is none.
SELECT COALESCE(bool_and({condition}), TRUE) AS is_finite FROM ONLY {table}
