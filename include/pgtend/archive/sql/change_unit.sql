-- Moves a month on, if it still stands where it stood when that was decided.
UPDATE pgtend_archive.unit SET
    state = %(state)s,
    changed_at = clock_timestamp(),
    sealed_at = CASE WHEN %(state)s = 'sealed' THEN clock_timestamp() ELSE sealed_at END,
    proven_at = CASE WHEN %(state)s = 'proven' THEN clock_timestamp() WHEN %(state)s = 'sealed' THEN NULL ELSE proven_at END,
    dropped_at = CASE WHEN %(state)s IN ('dropped', 'destroyed') THEN clock_timestamp() ELSE dropped_at END
WHERE (source_id, month, gen, state) = (%(source_id)s::int, %(month)s::date, %(gen)s::int, %(before)s)
RETURNING month
