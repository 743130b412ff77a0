-- A table like another one, for our transaction alone, with room for a padding that fills up its pages.
CREATE TEMPORARY TABLE pgtend_sample ON COMMIT DROP AS
SELECT s.*, NULL::text AS pgtend_filler FROM ONLY {table} AS s WITH NO DATA
