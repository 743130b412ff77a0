-- Builds an inverted index on the spread rows; what only fills up pages has no place.
CREATE INDEX places_keys ON pgtend_spread.places USING gin ({columns})
WHERE pointer IS NOT NULL AND (pgtend_spread.keys_of(pointer)).pgtend_is_in
