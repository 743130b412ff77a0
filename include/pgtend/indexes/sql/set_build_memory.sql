-- A build takes what a rebuild may take: how full the pages of an inverted index become depends on it.
SELECT set_config('maintenance_work_mem', %(memory)s::text, TRUE) AS memory
