-- Lets a batch give its locks back before its commit is on disk. A crash may undo the last batches, and each as a whole: the rows
-- are then in their table again, and the ledger says so.
SELECT set_config('synchronous_commit', %(mode)s, FALSE) AS mode
