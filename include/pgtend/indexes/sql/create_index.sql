-- Builds on a throwaway copy the index that is thought about.
CREATE INDEX {new} ON {table} {shape}
