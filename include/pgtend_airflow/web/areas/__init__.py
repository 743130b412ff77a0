"""The areas of the API: each is a handful of routes that ask the library one question."""
