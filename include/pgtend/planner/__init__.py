"""Statistics are fresh where the planner needs them, and the server's own counters say so."""
