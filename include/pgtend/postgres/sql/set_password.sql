-- Gives a role of a throwaway server its password. The statement takes no parameters, hence a literal in braces.
ALTER ROLE {role} PASSWORD {password}
