-- Builds on the sample the index whose size is in question.
CREATE INDEX pgtend_sample_index ON pg_temp.pgtend_sample {shape}
