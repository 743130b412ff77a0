-- Builds a new index beside the old one while everybody goes on reading and writing, and puts it in its place.
REINDEX INDEX CONCURRENTLY {index}
