-- Loads the rows of a month from CSV.
COPY {table} ({columns}) FROM STDIN (FORMAT csv)
