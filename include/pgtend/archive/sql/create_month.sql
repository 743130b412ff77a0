-- Makes the table of one archived month apart, without any index: CREATE TABLE ... PARTITION OF would lock out the archive's readers.
CREATE TABLE {partition} (LIKE {archive} INCLUDING STORAGE INCLUDING COMPRESSION)
