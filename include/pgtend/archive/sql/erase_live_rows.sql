-- Deletes one person's rows from a table that holds rows.
WITH gone AS (DELETE FROM {table} WHERE {condition} RETURNING 1) SELECT count(*) AS gone, 0::bigint AS known FROM gone
