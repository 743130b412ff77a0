-- Leaves the copy as it was.
DROP SCHEMA pgtend_spread CASCADE
