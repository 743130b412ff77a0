-- A table for places of rows, with room for a padding.
CREATE TEMPORARY TABLE pgtend_spread (pointer tid, pgtend_filler text) ON COMMIT DROP
