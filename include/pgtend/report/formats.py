"""The same report for programs: JSON with everything, and a CSV file for each table."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from pgtend.report.document import Cell, Chart, Raw, Report, Section, Table

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def as_json(report: Report) -> str:
    """Write everything that the report says."""
    whole: Json = {
        "name": report.name,
        "fleet": report.fleet,
        "environment": report.environment,
        "owner": report.owner,
        "made_at": report.made_at.isoformat(),
        "level": report.level.value,
        "verdict": report.verdict,
        "facts": dict(report.facts),
        "sections": [_section(section) for section in report.sections],
    }
    return json.dumps(whole, ensure_ascii=False, indent=1)


def as_csv(report: Report) -> Iterator[tuple[str, str]]:
    """Write one file for each table with rows, and one for each chart: its name and its content."""
    for section in report.sections:
        for table in section.tables:
            if table.rows:
                heads = [column.key for column in table.columns]
                rows = [[_plain(cell) for cell in row] for row in table.rows]
                yield f"{section.key}-{table.key}", _written(heads, rows)
        for chart in section.charts:
            if chart.steps:
                steps = [[step.day.isoformat(), step.value, step.low, step.high] for step in chart.steps]
                yield f"{section.key}-{chart.key}", _written(["day", "value", "low", "high"], steps)


def _written(heads: Sequence[str], rows: Sequence[Sequence[Raw]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heads)
    writer.writerows([[_harmless(value) for value in row] for row in rows])
    return text.getvalue()


def _harmless(value: Raw) -> Raw:
    """Keep a spreadsheet from taking the text of a statement for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _plain(cell: Cell) -> Raw:
    if cell.raw is not None or not cell.spark:
        return cell.raw if cell.raw is not None else cell.shown or None
    return " ".join("" if value is None else f"{value:g}" for value in cell.spark)


def _section(section: Section) -> Json:
    return {
        "key": section.key,
        "title": section.title,
        "lead": section.lead,
        "charts": [_chart(chart) for chart in section.charts],
        "tables": [_table(table) for table in section.tables],
    }


def _chart(chart: Chart) -> Json:
    return {
        "key": chart.key,
        "title": chart.title,
        "unit": chart.unit.value,
        "warning": chart.warning,
        "critical": chart.critical,
        "steps": [
            {"day": step.day.isoformat(), "value": step.value, "low": step.low, "high": step.high}
            for step in chart.steps
        ],
        "marks": [{"day": mark.day.isoformat(), "what": mark.what} for mark in chart.marks],
    }


def _table(table: Table) -> Json:
    return {
        "key": table.key,
        "title": table.title,
        "rows": [
            {column.key: _field(cell) for column, cell in zip(table.columns, row, strict=True)} for row in table.rows
        ],
        "empty": "" if table.rows else table.empty,
    }


def _field(cell: Cell) -> Json:
    said: dict[str, Json] = {"value": cell.raw if cell.raw is not None else cell.shown or None}
    said |= {"note": cell.small} if cell.small else {}
    return said | ({"days": list(cell.spark)} if cell.spark else {})
