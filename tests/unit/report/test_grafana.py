"""What the dashboard and the alert rules speak of exists, so that no panel stays empty and no rule silent."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from pgtend.report.openmetrics import names

FOLDER = Path(__file__).parents[3] / "docs" / "grafana"
NAME = re.compile(r"\b(?:pg|pgtend)_[a-z_]+\b")


def unknown_in(expressions: Iterator[str]) -> set[str]:
    """Name what an expression asks for and nobody gives."""
    return {name for expression in expressions for name in NAME.findall(expression)} - names()


def test_every_panel_draws_something_that_exists() -> None:
    """Each expression, and the list of databases; no two panels lie on each other."""
    dashboard = json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))
    panels = dashboard["panels"]
    expressions = [target["expr"] for panel in panels for target in panel["targets"]]
    assert len(expressions) == 17
    assert unknown_in(iter([*expressions, *(one["query"] for one in dashboard["templating"]["list"])])) == set()
    assert len({(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}) == len(panels)


def test_every_rule_asks_for_something_that_exists() -> None:
    """Each has a severity that pgtend itself knows, and a sentence."""
    (group,) = yaml.safe_load((FOLDER / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    assert unknown_in(rule["expr"] for rule in group["rules"]) == set()
    assert {rule["labels"]["severity"] for rule in group["rules"]} == {"page", "ticket"}
    assert all(rule["annotations"]["summary"] for rule in group["rules"])


def test_a_name_that_does_not_exist_is_found() -> None:
    """The checks above can fail."""
    assert unknown_in(iter(["pgtend_conections_used_ratio > 1", "pg_up == 0"])) == {"pgtend_conections_used_ratio"}
