-- A name is given at the end only: what is not finished never carries the name that people look for.
ALTER DATABASE {old} RENAME TO {new}
