-- Takes back what was lent.
DROP EXTENSION IF EXISTS amcheck
