-- Fetches the keys of a row of the copy by its place; nothing changes the copy meanwhile.
CREATE FUNCTION pgtend_spread.keys_of(tid) RETURNS pgtend_spread.row_keys LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC SELECT {named} FROM ONLY {table} WHERE ctid = $1; END
