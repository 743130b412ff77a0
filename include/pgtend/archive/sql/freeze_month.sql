-- Freezes a month that nobody writes any more: no vacuum has to come back to it, and the planner knows it from now on.
VACUUM (FREEZE, ANALYZE) {partition}
