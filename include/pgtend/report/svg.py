"""Charts and sparklines as inline SVG: shapes that stretch, with words in HTML beside them so that these do not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Final

from pgtend.health.units import Unit
from pgtend.report.document import Chart, Step
from pgtend.report.markup import Markup, element

WIDTH: Final = 900.0
HEIGHT: Final = 240.0
_LINES: Final = 4
_NICE: Final = (1.0, 2.0, 4.0, 6.0, 8.0, 10.0)
_BINARY: Final = 1024.0
_TICKS: Final = 4
_WEEK: Final = 7
_SPARK_WIDTH: Final = 180
_DAYS_IN_A_WORD: Final = 45
_SPARK_HEIGHT: Final = 40


def chart(drawn: Chart) -> Markup:
    """Draw a chart with its title, its scale, its days and what happened on them."""
    if not drawn.steps:
        return element(
            "figure",
            element("figcaption", drawn.title),
            element("p", drawn.empty, class_="empty"),
            class_="chart",
        )
    top = _top(drawn)
    newest = drawn.steps[-1]
    caption = element(
        "figcaption",
        drawn.title,
        element("span", f"{drawn.unit.say(newest.value)}, {newest.day:%d %b}", class_="latest"),
    )
    scale = [element("span", _short(top * n / _LINES, drawn.unit)) for n in range(_LINES, -1, -1)]
    plot = element(
        "div",
        element("div", *scale, class_="scale"),
        element("div", _plot(drawn, top), class_="canvas"),
        element("div", *_days(drawn.steps), class_="days"),
        class_="plot",
    )
    return element("figure", caption, plot, class_="chart")


def sparkline(values: Sequence[float | None], label: str) -> Markup:
    """Draw a word-sized line; days without a value are a gap."""
    values = _thinned(values)
    known = [value for value in values if value is not None]
    top = max(known, default=0.0) or 1.0
    step = _SPARK_WIDTH / max(len(values) - 1, 1)
    lines: list[Markup] = []
    run: list[str] = []
    for number, value in enumerate([*values, None]):
        if value is not None:
            run.append(f"{number * step:.0f},{_SPARK_HEIGHT - 2 - (_SPARK_HEIGHT - 4) * value / top:.0f}")
        elif run:
            points = run if len(run) > 1 else [run[0], run[0]]
            lines.append(element("polyline", points=" ".join(points)))
            run = []
    return element(
        "svg",
        *lines,
        class_="spark",
        viewBox=f"0 0 {_SPARK_WIDTH} {_SPARK_HEIGHT}",
        preserveAspectRatio="none",
        role="img",
        aria_label=label,
    )


def _thinned(values: Sequence[float | None]) -> list[float | None]:
    """Take two days together where there are many: a line as wide as a word shows no more."""
    if len(values) <= _DAYS_IN_A_WORD:
        return list(values)
    pairs = [values[n : n + 2] for n in range(0, len(values), 2)]
    return [max((value for value in pair if value is not None), default=None) for pair in pairs]


def _plot(drawn: Chart, top: float) -> Markup:
    first, last = drawn.steps[0].day, drawn.steps[-1].day
    grid = [element("line", x1="0", x2=WIDTH, y1=y, y2=y, class_="grid") for y in _grid()]
    limits = [
        element("line", x1="0", x2=WIDTH, y1=_y(limit, top), y2=_y(limit, top), class_=f"limit {name}")
        for name, limit in (("warning", drawn.warning), ("critical", drawn.critical))
        if limit is not None and limit <= top
    ]
    shapes = () if drawn.is_bars else tuple(_line(drawn, top))
    return element(
        "svg",
        *grid,
        *shapes,
        *limits,
        *_marks(drawn, first, last),
        _columns(drawn, top),
        viewBox=f"0 0 {WIDTH:.0f} {HEIGHT:.0f}",
        preserveAspectRatio="none",
        role="img",
        aria_label=f"{drawn.title}: {drawn.unit.say(drawn.steps[-1].value)} on {last:%Y-%m-%d}",
    )


def _line(drawn: Chart, top: float) -> Iterator[Markup]:
    first, last = drawn.steps[0].day, drawn.steps[-1].day
    for run in _unbroken(drawn.steps):
        places = [(_x(step.day, first, last), step) for step in run]
        upper = [f"{x:.0f},{_y(step.high if step.high is not None else step.value, top):.0f}" for x, step in places]
        lower = [f"{x:.0f},{_y(step.low if step.low is not None else step.value, top):.0f}" for x, step in places]
        if len(run) > 1:
            yield element("polygon", points=" ".join([*upper, *reversed(lower)]), class_="band")
        line = [f"{x:.0f},{_y(step.value, top):.0f}" for x, step in places]
        yield element("polyline", points=" ".join(line if len(line) > 1 else line * 2), class_="line")


def _columns(drawn: Chart, top: float) -> Markup:
    """Draw a column for each day that says its number to whoever points at it; in a chart of bars they are the bars."""
    first, last = drawn.steps[0].day, drawn.steps[-1].day
    wide = WIDTH / ((last - first).days + 1)
    happened = {mark.day: mark.what for mark in drawn.marks}
    columns: list[Markup] = []
    # Two days share a column where no bar stands: a pointer is no finer, and the file is a tenth smaller.
    days = 1 if drawn.is_bars or len(drawn.steps) <= _DAYS_IN_A_WORD else 2
    for step in drawn.steps[::days]:
        said = f"{step.day:%d %b}: {drawn.unit.say(step.value)}"
        said += f" ({happened[step.day]})" if step.day in happened else ""
        x = f"{(step.day - first).days * wide + (wide * 0.1 if drawn.is_bars else 0):.0f}"
        place = {"x": x} if not drawn.is_bars else {"x": x, **_tall(step.value, top)}
        columns.append(element("rect", element("title", said), **place))
    # Width and height of all are said once, in CSS: the file is half as large.
    size = f"--w:{wide * (0.8 if drawn.is_bars else days):.1f}px"
    return element("g", *columns, class_="bars" if drawn.is_bars else "hover", style=size)


def _short(value: float, unit: Unit) -> str:
    """Write a number beside the scale, where the title has said what it counts."""
    return f"{value:,.0f}" if unit is Unit.PER_SECOND else unit.say(value)


def _tall(value: float, top: float) -> dict[str, str]:
    y = round(_y(value, top))
    return {"y": str(y), "height": str(round(HEIGHT) - y)}


def _marks(drawn: Chart, first: date, last: date) -> Iterator[Markup]:
    for day in sorted({mark.day for mark in drawn.marks if first <= mark.day <= last}):
        x = f"{_x(day, first, last):.1f}"
        yield element("line", x1=x, x2=x, y1="0", y2=HEIGHT, class_="event")


def _unbroken(steps: Sequence[Step]) -> Iterator[list[Step]]:
    """Part the days where some are missing: a line over a gap would tell what nobody saw."""
    run: list[Step] = []
    for step in steps:
        if run and step.day - run[-1].day > timedelta(days=1):
            yield run
            run = []
        run.append(step)
    yield run


def _days(steps: Sequence[Step]) -> Iterator[Markup]:
    first, last = steps[0].day, steps[-1].day
    span = (last - first).days
    ticks = _TICKS if span >= _WEEK else min(span, 1)
    for n in range(ticks + 1):
        yield element("span", f"{first + timedelta(days=round(span * n / max(ticks, 1))):%d %b}")


def _grid() -> Iterator[str]:
    for n in range(_LINES):
        yield f"{HEIGHT * n / _LINES:.1f}"


def _top(drawn: Chart) -> float:
    """Choose the end of the scale: a round number that everything fits under, and a limit that is near."""
    if drawn.ceiling is not None:
        return drawn.ceiling
    highest = max(max(step.value, step.high or 0.0) for step in drawn.steps)
    for limit in (drawn.warning, drawn.critical):
        if limit is not None and limit <= highest * 2:
            highest = max(highest, limit)
    return round_up(highest, drawn.unit)


def round_up(value: float, unit: Unit) -> float:
    """Round up to a number that is easy to read, in the steps of its unit."""
    if value <= 0:
        return 1.0
    base = _base(value, unit)
    scaled = value / base
    power = 1.0
    while scaled / power > _NICE[-1]:
        power *= 10
    while scaled / power <= _NICE[0] / 10:
        power /= 10
    while scaled / power <= _NICE[0] and power > 1e-9:  # noqa: PLR2004 - as small as a chart can show
        power /= 10
    return base * power * next(nice for nice in _NICE if scaled / power <= nice + 1e-9)


def _base(value: float, unit: Unit) -> float:
    """Choose what a person counts in: kilobytes or gigabytes, minutes, hours or days."""
    steps = {Unit.BYTES: tuple(_BINARY**power for power in range(5)), Unit.SECONDS: (1.0, 60.0, 3600.0, 86400.0)}
    return max((step for step in steps.get(unit, ()) if step <= value), default=1.0)


def _x(day: date, first: date, last: date) -> float:
    return WIDTH * ((day - first).days + 0.5) / ((last - first).days + 1)


def _y(value: float, top: float) -> float:
    return HEIGHT - HEIGHT * min(value, top) / top
