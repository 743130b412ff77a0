-- Tells whoever finds a database what it is.
COMMENT ON DATABASE {name} IS {comment}
