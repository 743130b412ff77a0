"""Where each counter comes from on this server: names changed in five versions of the extension."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pgtend.postgres.identifiers import Composable, first_known

STATS_SINCE = "stats_since"
NEEDED = "total_exec_time"
"""The column that came with the oldest version we read: 1.8, of PostgreSQL 13."""
_SOURCES: Mapping[str, tuple[str, ...]] = {
    "toplevel": ("toplevel",),
    "shared_read_ms": ("shared_blk_read_time", "blk_read_time"),
    "shared_write_ms": ("shared_blk_write_time", "blk_write_time"),
    "local_read_ms": ("local_blk_read_time",),
    "local_write_ms": ("local_blk_write_time",),
    "temp_read_ms": ("temp_blk_read_time",),
    "temp_write_ms": ("temp_blk_write_time",),
    "wal_buffers_full": ("wal_buffers_full",),
    "jit_functions": ("jit_functions",),
    "jit_generation": ("jit_generation_time",),
    "jit_inlining": ("jit_inlining_time",),
    "jit_optimization": ("jit_optimization_time",),
    "jit_emission": ("jit_emission_time",),
    "jit_deform": ("jit_deform_time",),
    "parallel_to_launch": ("parallel_workers_to_launch",),
    "parallel_launched": ("parallel_workers_launched",),
    "generic_plans": ("generic_plan_calls",),
    "custom_plans": ("custom_plan_calls",),
    "stats_since": (STATS_SINCE,),
    "minmax_since": ("minmax_stats_since",),
}


def sources(known: Collection[str]) -> Mapping[str, Composable]:
    """Say for every counter that versions call otherwise which column it is here, or that there is none."""
    return {counter: first_known(names, known) for counter, names in _SOURCES.items()}
