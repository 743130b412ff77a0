-- Gives the rows of a month as CSV, in which an empty value and no value are two things; moments as microseconds, exactly.
COPY (SELECT {columns} FROM ONLY {table} ORDER BY {time}) TO STDOUT (FORMAT csv)
