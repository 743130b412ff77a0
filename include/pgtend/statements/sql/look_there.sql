-- Looks for names where the role of the statement would, until the transaction ends.
SELECT set_config('search_path', %(search_path)s::text, true) AS search_path
