-- The padding must stay as long as it is.
ALTER TABLE {sample} ALTER COLUMN pgtend_filler SET STORAGE PLAIN
