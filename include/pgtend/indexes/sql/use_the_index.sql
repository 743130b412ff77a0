-- Rows of one key are counted by an index and no further than asked for, whatever the planner thinks of a table it reads rarely.
SELECT
    set_config('enable_seqscan', 'off', TRUE) AS scan,
    set_config('enable_bitmapscan', 'off', TRUE) AS bitmap,
    set_config('jit', 'off', TRUE) AS compiled
