-- Makes the table into which a month is loaded that was stored with other columns than its table has now, gone with the transaction.
CREATE TEMPORARY TABLE pgtend_scratch ({written}) ON COMMIT DROP
