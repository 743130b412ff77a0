"""The words every room speaks: errors, sizes, names, digests, times."""
