-- Makes a copy what its original is: its pages known to hold only rows that all can see, and its statistics fresh.
VACUUM (ANALYZE) {table}
