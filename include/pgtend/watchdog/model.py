"""Decides, without touching anything, what is overdue, what is news, and whom to tell it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from pgtend.fleet.schedules import last_fired
from pgtend.kernel.errors import PgtendError
from pgtend.kernel.times import say_span
from pgtend.watchdog.errors import ChannelDown, Overdue


class Sign(StrEnum):
    """What a look showed. Doubt is neither: what could not be looked at is not over."""

    FINE = "fine"
    BROKEN = "broken"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was seen of one thing that should be well."""

    key: str
    """The same as long as it is the same thing: `kgc.backup`, `airflow.scheduler`."""
    sign: Sign
    says: str = ""
    """For the summary: when it happened last."""
    code: str = ""
    message: str = ""
    detail: str = ""
    hint: str = ""
    exit_status: int = 0
    wakes_somebody: bool = False


def fine(key: str, says: str = "") -> Look:
    """Say that something is well."""
    return Look(key=key, sign=Sign.FINE, says=says)


def unknown(key: str) -> Look:
    """Say that something could not be looked at, because something else is broken that is told by itself."""
    return Look(key=key, sign=Sign.UNKNOWN)


def broken(key: str, error: PgtendError, says: str = "") -> Look:
    """Say what is wrong with something."""
    return Look(
        key=key,
        sign=Sign.BROKEN,
        says=says,
        code=error.code,
        message=error.message,
        detail=error.detail.strip(),
        hint=error.hint,
        exit_status=error.exit_status,
        # While one channel takes messages the others can wait; whatever else is broken here stops the nightly work.
        wakes_somebody=not isinstance(error, ChannelDown),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """Something that a schedule promises."""

    key: str
    what: str
    """As in `a backup of kgc`."""
    schedule: str
    zone: str
    within: timedelta
    """How long after its start it must be there."""
    runbook: str


def judge(promise: Promise, done_at: datetime | None, now: datetime, watched_since: datetime) -> Look:
    """Hold what happened against what should have: the last start whose time is over must have left its result."""
    due_at = last_fired(promise.schedule, promise.zone, now - promise.within)
    says = f"{done_at:%Y-%m-%d %H:%M} UTC" if done_at else "never"
    if done_at >= due_at if done_at else due_at <= watched_since:
        return fine(promise.key, says)
    last = f"The last one is of {says}, {say_span(now - done_at)} ago." if done_at else "There never was one."
    return broken(
        promise.key,
        Overdue(
            f"{promise.what} is overdue",
            detail=f"It was due at {due_at:%Y-%m-%d %H:%M} UTC, and had {say_span(promise.within)} to end. {last}",
            hint=f"See why the run of that time is missing or failed: docs/runbooks/{promise.runbook}.md.",
        ),
        says,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """Something that is broken, since when, and when people were told last."""

    look: Look
    since: datetime
    told_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """What the watchdog remembers between two rounds."""

    watched_since: Mapping[str, datetime] = field(default_factory=dict[str, datetime])
    open: Mapping[str, Open] = field(default_factory=dict[str, Open])
    over: tuple[Open, ...] = ()
    """What ended, and nobody could be told yet."""
    summed_up_at: datetime | None = None


class Occasion(StrEnum):
    """Why something is told. Shown to people as written."""

    OPENED = "broken"
    REMINDER = "still broken"
    RECOVERED = "well again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to tell."""

    occasion: Occasion
    case: Open


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one round makes of what was seen."""

    book: Book
    notices: tuple[Notice, ...]


def turn(book: Book, looks: Sequence[Look], now: datetime, remind_every: timedelta) -> Turn:
    """Decide what is news: once when something breaks, once when it is over, a reminder in between."""
    seen = {look.key: look for look in looks}
    open_now: dict[str, Open] = {}
    over = list(book.over)
    for key, case in book.open.items():
        look = seen.get(key)
        if look is not None and look.sign is Sign.FINE:
            over += [case] if case.told_at else []
        elif look is None:
            # The fleet file does not know it any more: neither broken nor well, and nobody's concern.
            continue
        else:
            open_now[key] = replace(case, look=look) if look.sign is Sign.BROKEN else case
    for key, look in seen.items():
        if look.sign is Sign.BROKEN and key not in open_now:
            open_now[key] = Open(look=look, since=now)
    notices = [*_due(open_now.values(), now, remind_every)]
    notices += [Notice(occasion=Occasion.RECOVERED, case=case) for case in over]
    since = {key: book.watched_since.get(key, now) for key in seen}
    return Turn(book=replace(book, open=open_now, over=tuple(over), watched_since=since), notices=tuple(notices))


def told(book: Book, notices: Sequence[Notice], now: datetime) -> Book:
    """Remember that people heard of it."""
    heard = {notice.case.look.key for notice in notices if notice.occasion is not Occasion.RECOVERED}
    marked = {key: replace(case, told_at=now) if key in heard else case for key, case in book.open.items()}
    return replace(book, open=marked, over=())


def is_time_to_sum_up(book: Book, schedule: str, zone: str, now: datetime) -> bool:
    """Tell whether the summary is due; the first one comes at once, so that people know that it works."""
    return book.summed_up_at is None or last_fired(schedule, zone, now) > book.summed_up_at


def _due(cases: Iterable[Open], now: datetime, remind_every: timedelta) -> Iterable[Notice]:
    for case in cases:
        if case.told_at is None:
            yield Notice(occasion=Occasion.OPENED, case=case)
        elif now - case.told_at >= remind_every:
            yield Notice(occasion=Occasion.REMINDER, case=case)
