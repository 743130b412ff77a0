-- Takes a foreign key or a check off an archived month: what was right when it was written is not judged again, and stays when what it
-- points at goes.
ALTER TABLE {partition} DROP CONSTRAINT {constraint}
