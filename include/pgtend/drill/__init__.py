"""A backup is proven by restoring it where nothing can be reached, and comparing everything with what was there."""
