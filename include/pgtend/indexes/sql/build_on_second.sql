-- Builds the index whose size is in question on the second copy, to compare both.
CREATE INDEX pgtend_second_index ON pg_temp.pgtend_second {shape}
