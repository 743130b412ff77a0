-- Which parts of some keys are NULL: an index is asked for NULL in other words than for a value.
SELECT DISTINCT k.absent FROM {keys} AS k
WHERE k.stratum = %(stratum)s::int AND k.turn > %(low)s::bigint AND k.turn <= %(high)s::bigint
