"""Which databases we look after, by which rules: one YAML file, all its problems reported at once."""
