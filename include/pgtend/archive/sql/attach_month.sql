-- Makes a table a month of the archive.
ALTER TABLE {archive} ATTACH PARTITION {partition} FOR VALUES FROM ({low}) TO ({high})
