-- Before version 16 the plan for any values is asked of a prepared statement.
PREPARE pgtend_plan AS {statement}
