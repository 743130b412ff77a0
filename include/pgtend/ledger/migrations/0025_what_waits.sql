-- A run of the archive writes down behind its plan what it left, so that whoever reads the newest line sees what waits now.

COMMENT ON TABLE reporting.archive_plan IS
    'What every run of the archive pipeline found to do, table by table, and behind it what it left where it did something.';

COMMENT ON VIEW reporting.archive_plans IS
    'What every run of the archive pipeline found to do, table by table, and behind it what it left where it did something.';
