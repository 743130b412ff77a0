-- Reads a B-tree of a copy as thoroughly as can be: every row of the table must be found from the root, every page by its
-- parent. It keeps writers away meanwhile, which nobody minds on a copy.
-- extension: amcheck
SELECT {schema}.bt_index_parent_check(%(index)s::oid::regclass, TRUE, TRUE)
