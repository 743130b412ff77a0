-- Puts the landing in the place of the month that left.
ALTER TABLE {table} ATTACH PARTITION {landing} FOR VALUES FROM ({low}) TO ({high})
