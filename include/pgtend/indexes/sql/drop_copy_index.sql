-- Takes it away from the copy again.
DROP INDEX {index}
