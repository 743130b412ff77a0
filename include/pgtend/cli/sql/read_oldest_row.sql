-- How long ago the oldest row was written, from one end of an index; only the age leaves the server.
SELECT now() - min({column})::timestamptz AS age FROM {table}
