"""PostgreSQL, tended: maintenance that keeps evidence instead of success messages."""
