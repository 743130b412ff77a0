"""The table of everything that is watched, made from the catalogue, so that the page and the code cannot disagree."""

from __future__ import annotations

from pgtend.fleet.health import HealthRules
from pgtend.health.metrics import METRICS
from pgtend.health.model import HealthPolicy
from pgtend.health.units import Metric
from pgtend.kernel.times import say_span


def metrics_table() -> str:
    """Write one row for each metric."""
    rows = [_row(metric) for metric in METRICS.values()]
    return "\n".join(["| name | what it is | limits |", "|---|---|---|", *rows]) + "\n"


def _row(metric: Metric) -> str:
    limits = str(HealthPolicy(HealthRules()).limits(metric.watched))
    lasting = f", for {say_span(metric.lasting)}" if metric.lasting else ""
    return f"| `{metric.watched}` | {metric.meaning} | {f'{limits}{lasting}' or 'kept for its trend'} |"
