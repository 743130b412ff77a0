-- About half of a sample: where equal keys share an entry, half of the rows take more than half of the room.
CREATE TEMPORARY TABLE pgtend_second ON COMMIT DROP AS
SELECT * FROM {sample} TABLESAMPLE SYSTEM (50)
