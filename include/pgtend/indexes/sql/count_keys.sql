-- How many keys of a sample occur how often there.
SELECT
    k.stratum,
    k.times,
    k.entry,
    count(*) AS keys
FROM {keys} AS k
GROUP BY k.stratum, k.times, k.entry
ORDER BY k.stratum, k.times, k.entry
