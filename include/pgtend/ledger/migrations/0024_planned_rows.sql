-- The plan of a large table whose rule was approved reads a part of its pages: the figure is no count then, and must not say so.

COMMENT ON COLUMN reporting.archive_plans.planned_rows IS
    'Rows that would leave: counted, but of a table of over 128 MB whose rule was approved about so many, from a twentieth of its pages.';
