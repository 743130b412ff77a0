-- A span of nights decides which months are read. After five questions in one session the server would plan for any
-- span instead, and read many times the blocks; planning anew costs a millisecond.

ALTER FUNCTION reporting.dearest_statements(text, text, date, date, text, integer) SET plan_cache_mode = force_custom_plan;
ALTER FUNCTION reporting.top_statements(text, text, date, date) SET plan_cache_mode = force_custom_plan;
