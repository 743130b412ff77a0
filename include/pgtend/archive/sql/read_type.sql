-- Asks for a type by what a file calls it, as the server writes it itself and without a limit; nothing where there is none.
SELECT COALESCE(format_type(to_regtype(%(declared)s), -1), '') AS name
