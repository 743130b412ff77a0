-- The rows of a padded copy as tight as a restored copy would hold them.
CREATE TEMPORARY TABLE pgtend_second ON COMMIT DROP AS
SELECT s.* FROM {sample} AS s WHERE s.pgtend_filler IS NULL
