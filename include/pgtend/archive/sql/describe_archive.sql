-- Says in the catalogue what the archive is, which is also how we know that it is ours.
COMMENT ON TABLE {archive} IS {comment}
