"""Remembers what we did, when, and with which evidence: the `reporting` schema, its migrations, the audit chain."""
