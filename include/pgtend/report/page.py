"""A report as one HTML file that needs nothing else: no network, no script, no font; nothing in it can break out."""

from __future__ import annotations

from importlib.metadata import version
from importlib.resources import files
from typing import Final

from pgtend.health.model import Level
from pgtend.kernel.names import counted
from pgtend.report.document import Cell, Report, Section, Table
from pgtend.report.markup import Markup, element, joined, style_sheet
from pgtend.report.svg import chart, sparkline

# Each level has a shape of its own: nobody has to tell colours apart.
SIGNS: Final = {
    Level.OK: "\N{CHECK MARK}",
    Level.WARNING: "\N{BLACK UP-POINTING TRIANGLE}",
    Level.CRITICAL: "\N{BLACK CIRCLE}",
    Level.UNKNOWN: "?",
    Level.NOT_WATCHED: "\N{EN DASH}",
}
_SHORT: Final = 18
_IN_PAIRS: Final = 4
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"


def page(report: Report) -> str:
    """Write the whole file."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="robots", content="noindex"),
        element("title", f"{report.title}: {report.level}, {report.made_at:%Y-%m-%d}"),
        style_sheet((files(__package__ or "") / "page.css").read_text(encoding="utf-8")),
    )
    body = element("body", _top(report), *(_section(section) for section in report.sections), _foot(report))
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def _top(report: Report) -> Markup:
    facts = [joined(element("dt", name), element("dd", value)) for name, value in report.facts]
    links = [element("a", section.title, href=f"#{section.key}") for section in report.sections]
    return element(
        "header",
        element("p", f"{report.fleet}, {report.environment}. Owner: {report.owner}", class_="where"),
        element("h1", report.title),
        element("p", _level(report.level), element("span", report.verdict), class_=f"verdict {_class(report.level)}"),
        element("dl", *[element("div", fact) for fact in facts], class_="facts"),
        element("nav", *links, aria_label="Sections"),
    )


def _section(section: Section) -> Markup:
    charts = [chart(drawn) for drawn in section.charts]
    has_drawing = any(drawn.steps for drawn in section.charts)
    said = section.charts[0].empty if section.charts else ""
    return element(
        "section",
        element("h2", section.title, id=section.key),
        element("p", section.lead, class_="lead") if section.lead else Markup(),
        element("div", *charts, class_="charts" if len(charts) != _IN_PAIRS else "charts pairs")
        if has_drawing
        else Markup(),
        element("p", said, class_="empty") if charts and not has_drawing else Markup(),
        *(_table(table, f"{section.key}-{table.key}", alone=len(section.tables) == 1) for table in section.tables),
    )


def _table(table: Table, name: str, *, alone: bool) -> Markup:
    title = Markup() if alone else element("h3", table.title)
    if not table.rows:
        return joined(title, element("p", table.empty, class_="empty"))
    heads = [
        element("th", column.title, scope="col", class_="number" if column.is_number else "")
        for column in table.columns
    ]
    rows = [
        element(
            "tr",
            *(_cell(cell, is_number=column.is_number) for cell, column in zip(row, table.columns, strict=True)),
        )
        for row in table.rows
    ]
    note = element("p", table.note, class_="note") if table.note else Markup()
    head, rows_of = element("thead", element("tr", *heads)), element("tbody", *rows)
    made = element("table", head, rows_of, id=name, aria_label=table.title)
    return joined(title, style_sheet(_labels(name, table)), made, note)


def _labels(name: str, table: Table) -> str:
    """Name the columns again for a phone, which shows a row as a card: once a table and not once a cell."""
    titles = enumerate((column.title for column in table.columns), start=1)
    rules = "".join(f'#{name} td:nth-child({place})::before{{content:"{title}"}}' for place, title in titles)
    return f"@media (max-width:46rem){{{rules}}}"


def _cell(cell: Cell, *, is_number: bool) -> Markup:
    content = joined(*_parts(cell))
    kinds = " ".join(
        kind for kind, is_so in (("number", is_number), ("whole", cell.is_whole), ("blank", not content)) if is_so
    )
    return element("td", content, class_=kinds)


def _parts(cell: Cell) -> list[Markup]:
    if cell.level is not None:
        return [_level(cell.level, cell.shown)]
    if cell.spark:
        return [sparkline(cell.spark, f"{counted(sum(value is not None for value in cell.spark), 'day')}")]
    parts: list[Markup] = []
    if cell.share is not None:
        parts.append(_share(cell))
        shown = element("span", cell.shown, class_="small")
    elif cell.code and cell.code != cell.shown:
        opened = element("summary", element("code", cell.shown))
        shown = element("details", opened, element("pre", cell.code))
    else:
        shown = element("code", cell.shown) if cell.code else element("span", _words(cell.shown), class_="shown")
    parts += [shown] if cell.shown else []
    return [*parts, element("span", _words(cell.small), class_=_small(cell.small))] if cell.small else parts


def _small(said: str) -> str:
    return "small short" if len(said) <= _SHORT else "small"


def _words(said: str) -> Markup:
    """Show what stands between backticks as something to type."""
    parts = said.split("`")
    if len(parts) % 2 == 0:
        return joined(said)
    return joined(*(element("code", part) if place % 2 else part for place, part in enumerate(parts)))


def _share(cell: Cell) -> Markup:
    bar = element("b", style=f"width:{100 * max(0.0, min(cell.share or 0.0, 1.0)):.1f}%")
    marks = [element("u", style=f"left:{100 * mark:.1f}%") for mark in cell.marks]
    return element("span", bar, *marks, class_="share")


def _level(level: Level, shown: str = "") -> Markup:
    sign = element("i", SIGNS[level], aria_hidden="true")
    return element("strong", sign, shown or level.value, class_=f"level {_class(level)}")


def _class(level: Level) -> str:
    return level.value.replace(" ", "-")


def _foot(report: Report) -> Markup:
    made = f"Made {report.made_at:%Y-%m-%d %H:%M} UTC by pgtend {version('pgtend')} from the ledger of {report.fleet}."
    return element("footer", made, " All times are UTC. This file needs no network.")
