"""Takes copies of databases that tell the truth: a backup exists only when all of it was read back."""
