-- Plans for the values at hand, as the first five runs of every prepared statement do.
SELECT
    set_config('plan_cache_mode', 'force_custom_plan', TRUE) AS plans,
    set_config('search_path', %(search_path)s::text, TRUE) AS search_path
