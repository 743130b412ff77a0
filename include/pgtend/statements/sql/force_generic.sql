-- The values that follow are not looked at.
SET LOCAL plan_cache_mode = force_generic_plan
