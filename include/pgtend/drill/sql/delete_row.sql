-- Takes one row away, as a restore would that lost one.
DELETE FROM ONLY {table} WHERE ctid = (SELECT min(ctid) FROM ONLY {table})
