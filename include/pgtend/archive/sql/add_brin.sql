-- Lets a question about a day skip the rest of the month, for a few kilobytes.
CREATE INDEX ON {partition} USING brin ({time}) WITH (pages_per_range = 32)
