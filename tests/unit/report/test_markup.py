"""Nothing that is shown can become markup, and charts keep their promises about gaps, scales and words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgtend.health.units import Unit
from pgtend.report.document import Chart, Step
from pgtend.report.markup import element, joined, printable, style_sheet
from pgtend.report.svg import chart, round_up, sparkline

DAY = date(2026, 11, 1)
CHART = Chart(
    key="x",
    title="Connections used",
    unit=Unit.PERCENT,
    steps=tuple(Step(day=DAY + timedelta(days=n), value=n * 2.0) for n in range(30)),
    empty="nothing yet",
    warning=50,
    critical=90,
)


class Found(HTMLParser):
    """Collects what a browser would find."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.words.append(data)


@given(text=st.text(max_size=60), attribute=st.text(max_size=60))
def test_whatever_is_shown_stays_text(text: str, attribute: str) -> None:
    """One element with one attribute, whatever stands in them; and the text arrives, control characters left out."""
    found = Found(element("p", text, data_x=attribute or "x"))
    assert found.tags == ["p"]
    assert [name for name, _ in found.attributes] == ["data-x"]
    assert "".join(found.words) == printable(text)


def test_markup_is_not_escaped_twice_and_text_always_once() -> None:
    """What is markup already passes, what is not does not."""
    assert element("p", "a < b", element("b", "c & d")) == "<p>a &lt; b<b>c &amp; d</b></p>"
    assert joined("\\u202eevil\\x00", element("br")) == "\\u202eevil\\x00<br>"
    assert joined("\u202eevil\x00") == "evil"


def test_names_and_style_sheets_cannot_smuggle() -> None:
    """An element with a strange name and a style sheet that ends itself are defects of ours, and end at once."""
    with pytest.raises(ValueError, match="no name"):
        element("script src=x")
    with pytest.raises(ValueError, match="no markup"):
        style_sheet("a{}</style><script>")


def test_a_day_nobody_saw_is_a_gap() -> None:
    """Two lines and no bridge between them."""
    steps = [step for step in CHART.steps if step.day.day not in {10, 11}]
    drawn = chart(replace(CHART, steps=tuple(steps)))
    assert drawn.count('class="line"') == 2
    assert sparkline([1, 2, None, 3, 4], "x").count("<polyline") == 2


def test_a_chart_without_a_day_says_so() -> None:
    """An empty frame would look like a zero."""
    drawn = chart(replace(CHART, steps=()))
    assert "nothing yet" in drawn
    assert "<svg" not in drawn


def test_limits_are_drawn_where_they_matter() -> None:
    """A limit far above the numbers would flatten them, so it is left to the table."""
    assert chart(CHART).count('class="limit') == 2
    low = replace(CHART, steps=tuple(replace(step, value=step.value / 20) for step in CHART.steps))
    assert chart(low).count('class="limit') == 0


@pytest.mark.parametrize(
    ("value", "unit", "top"),
    [
        (0, Unit.AMOUNT, 1),
        (7, Unit.AMOUNT, 8),
        (190, Unit.PER_SECOND, 200),
        (101, Unit.AMOUNT, 200),
        (0.03, Unit.AMOUNT, 0.04),
        (3 * 1024**3, Unit.BYTES, 4 * 1024**3),
        (45_000, Unit.SECONDS, 20 * 3600),
        (100, Unit.SECONDS, 120),
    ],
)
def test_a_scale_ends_at_a_number_that_is_easy_to_read(value: float, unit: Unit, top: float) -> None:
    """In gigabytes and hours where those are what people count in."""
    assert round_up(value, unit) == pytest.approx(top)


@given(value=st.floats(1e-3, 1e15), unit=st.sampled_from(list(Unit)))
def test_everything_fits_under_its_scale_and_does_not_drown_in_it(value: float, unit: Unit) -> None:
    """The end is at least the largest value, and never many times as much."""
    assert value <= round_up(value, unit) * 1.0001
    assert round_up(value, unit) <= value * 11
