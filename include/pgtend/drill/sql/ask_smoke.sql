-- Asks a question of the application, and lets the server write the answer as text together with its type.
SELECT asked.answer::text AS answer, pg_typeof(asked.answer)::text AS kind FROM ({question}) AS asked (answer)
