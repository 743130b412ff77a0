"""Rows of evidence: dataclasses on their way into a statement or into a line of JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, timedelta


def values_of(row: object) -> dict[str, object]:
    """Take the fields of a dataclass as they are, without turning nested ones into dictionaries."""
    if not is_dataclass(row) or isinstance(row, type):
        raise TypeError(f"evidence is a dataclass, not a {type(row).__name__}")
    return {field.name: getattr(row, field.name) for field in fields(row)}


def evidence_line(values: Mapping[str, object]) -> str:
    """Write one row of evidence as one line."""
    return json.dumps(values, ensure_ascii=False, default=_plain) + "\n"


def _plain(value: object) -> str | float:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    raise TypeError(f"evidence cannot hold a {type(value).__name__}")
