-- Whether an index is still there, and whole: somebody may have dropped or exchanged it since we looked.
SELECT EXISTS (SELECT FROM pg_index AS i WHERE i.indexrelid = %(index)s::oid AND i.indisvalid) AS is_there
