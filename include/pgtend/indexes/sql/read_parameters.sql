-- Of which types the missing values are.
SELECT p.parameter_types::text[] AS types
FROM pg_prepared_statements AS p
WHERE p.name = 'pgtend_asked'
