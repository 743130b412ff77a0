-- Names the sessions whose locks keep others out of some relations (of all, when none is given), longest first, and
-- never the text of their queries, which may hold values of rows. Those still waiting for a strong lock count too: whoever comes
-- after them has to queue behind them.
SELECT
    l.pid,
    COALESCE(a.application_name, '') AS application,
    COALESCE(a.state, 'unknown') AS state,
    COALESCE(clock_timestamp() - a.xact_start, interval '0') AS since,
    l.relation::regclass::text AS relation,
    l.mode,
    l.granted AS is_granted
FROM pg_locks AS l
LEFT JOIN pg_stat_activity AS a USING (pid)
WHERE l.locktype = 'relation'
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.pid <> ALL (%(ourselves)s)
  AND l.mode NOT IN ('AccessShareLock')
  AND CASE
      WHEN cardinality(%(relations)s::text[]) > 0 THEN l.relation = ANY (
          SELECT to_regclass(name) FROM unnest(%(relations)s::text[]) AS name
      )
      ELSE l.mode IN ('ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
  END
ORDER BY l.granted DESC, l.mode = 'AccessExclusiveLock' DESC, a.xact_start
LIMIT 5
