-- Takes back what was lent.
DROP EXTENSION amcheck
