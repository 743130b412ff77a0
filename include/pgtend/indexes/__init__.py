"""Bloated indexes are rebuilt worst first inside the window; advice on indexes is proved before it is given."""
