-- Builds on a throwaway copy the index that is thought about.
CREATE INDEX {name} ON {table} {shape}
