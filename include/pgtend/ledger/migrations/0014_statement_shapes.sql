-- The plans that were kept of a statement, one after the other: another shape is another plan.

CREATE VIEW reporting.statement_plan_shapes AS
SELECT database, replica, fingerprint, day, at, shape, cost, run_id
FROM reporting.statement_plan
WHERE shape <> '';

COMMENT ON VIEW reporting.statement_plan_shapes IS 'Every plan that was kept of a statement: another shape is another plan.';
COMMENT ON COLUMN reporting.statement_plan_shapes.database IS 'Database, by its name in the fleet file.';
COMMENT ON COLUMN reporting.statement_plan_shapes.replica IS 'Name of the replica that was read; empty for the database itself.';
COMMENT ON COLUMN reporting.statement_plan_shapes.fingerprint IS 'Identity of a statement, which survives upgrades, restores and replicas.';
COMMENT ON COLUMN reporting.statement_plan_shapes.day IS 'The night, named after the day that it ends.';
COMMENT ON COLUMN reporting.statement_plan_shapes.at IS 'When the plan was asked.';
COMMENT ON COLUMN reporting.statement_plan_shapes.shape IS 'Digest of the plan''s shape: its nodes, tables and indexes.';
COMMENT ON COLUMN reporting.statement_plan_shapes.cost IS 'Cost of the plan as the planner estimates it.';
COMMENT ON COLUMN reporting.statement_plan_shapes.run_id IS 'Run that left this evidence.';
GRANT SELECT ON reporting.statement_plan_shapes TO pgtend_reader, pgtend_writer;
