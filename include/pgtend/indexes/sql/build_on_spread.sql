-- Builds an inverted index on the spread rows; what only fills up pages has no place.
CREATE INDEX pgtend_spread_index ON pg_temp.pgtend_spread USING gin ({columns})
WHERE pointer IS NOT NULL AND (pg_temp.pgtend_keys_of(pointer)).pgtend_is_in
