-- Takes a month that left into our schema, where nobody reaches it but through the archive.
ALTER TABLE {partition} SET SCHEMA pgtend_archive
