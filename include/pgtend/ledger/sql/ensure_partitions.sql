-- Makes the partitions of the coming months before anybody needs them.
-- on: ledger
SELECT reporting.ensure_partitions(%(months_ahead)s::integer) AS created
