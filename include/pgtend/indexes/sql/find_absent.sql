-- Which parts of some keys are NULL: an index is asked for NULL in other words than for a value.
SELECT DISTINCT pgtend_k.absent FROM {keys} AS pgtend_k WHERE {chosen}
