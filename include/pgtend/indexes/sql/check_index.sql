-- Reads a B-tree and proves that its pages are in order; keeps nobody from writing.
-- extension: amcheck
SELECT {schema}.bt_index_check(%(index)s::oid::regclass, %(heap)s::boolean)
