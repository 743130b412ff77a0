"""Spans of time are read and said the way people do."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgtend.kernel.times import UnreadableSpan, parse_span, say_span, utc_now


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("90 s", timedelta(seconds=90)),
        ("1 h 30 min", timedelta(minutes=90)),
        ("365 days", timedelta(days=365)),
        ("1.5h", timedelta(minutes=90)),
        ("250 ms", timedelta(milliseconds=250)),
    ],
)
def test_people_may_write_spans_as_they_like(text: str, span: timedelta) -> None:
    """Units may be singular, plural or short, and be added up."""
    assert parse_span(text) == span


@pytest.mark.parametrize("text", ["", "90", "soon", "5 fortnights", "1 h and a bit", "-1 h"])
def test_what_is_no_span_is_refused_with_an_example(text: str) -> None:
    """A bare number could be seconds or hours, so it is neither."""
    with pytest.raises(UnreadableSpan) as caught:
        parse_span(text)
    assert "15 min" in caught.value.hint


@pytest.mark.parametrize(
    ("span", "text"),
    [
        (timedelta(milliseconds=12), "12 ms"),
        (timedelta(seconds=59.94), "59.9 s"),
        (timedelta(seconds=3661), "1 h 1 min"),
        (timedelta(days=2, seconds=59), "2 d 59 s"),
    ],
)
def test_spans_are_said_in_two_units_at_most(span: timedelta, text: str) -> None:
    """Nobody needs the seconds of three days."""
    assert say_span(span) == text


@given(st.integers(min_value=60, max_value=10**7))
def test_a_span_that_was_said_reads_back(seconds: int) -> None:
    """What we print can be pasted into a fleet file, and is off by less than what was not said."""
    assert abs(parse_span(say_span(timedelta(seconds=seconds))).total_seconds() - seconds) < max(seconds / 24, 1)


def test_now_is_aware_and_in_utc() -> None:
    """A moment without a zone is a bug that waits for the clock change."""
    assert utc_now().tzinfo is UTC
