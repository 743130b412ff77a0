-- Gives the archive the policy that the live table has.
CREATE POLICY {policy} ON {table} AS {kind} FOR SELECT TO {roles} USING ({condition})
