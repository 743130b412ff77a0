-- Makes the table into which a month is loaded to be compared, gone with the transaction.
CREATE TEMPORARY TABLE pgtend_scratch (LIKE {archive}) ON COMMIT DROP
