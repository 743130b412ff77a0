-- Fetches the keys of a row of the copy by its place; nothing changes the copy meanwhile.
CREATE FUNCTION pg_temp.pgtend_keys_of(tid) RETURNS pg_temp.pgtend_row_keys LANGUAGE sql IMMUTABLE
BEGIN ATOMIC SELECT {named} FROM ONLY {table} WHERE ctid = $1; END
