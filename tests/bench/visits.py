"""Tables of visits as a clinic has them, for whoever measures what becomes of rows."""

from __future__ import annotations

from bed.clusters import LiveDatabase

_VISITS = """
INSERT INTO public.{name}
SELECT
    x, mod(x::bigint * 7919, 5000), timestamptz '2026-01-01' + x * interval '7 s',
    'follow-up visit of patient ' || mod(x, 5000) || ': pressure ' || (110 + mod(x::bigint * 31, 40)),
    (array['lab', 'visit', 'note'])[1 + mod(x, 3)], round((random() * 100)::numeric, 2)
FROM generate_series(1, {rows}) AS x
"""


def make_visits(live: LiveDatabase, *names: str, rows: int) -> None:
    """Make tables with so many visits in each, and a primary key."""
    for name in names:
        columns = "id int, patient int, at timestamptz, note text, kind text, value float8"
        live.run(f"CREATE TABLE public.{name} ({columns})", _VISITS.format(name=name, rows=rows))
        live.run(f"ALTER TABLE public.{name} ADD PRIMARY KEY (id)")
