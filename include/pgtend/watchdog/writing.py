"""What the watchdog writes to people. Pure; no secret and no row can enter, because none is ever given."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from textwrap import shorten

from pgtend.fleet.model import Fleet
from pgtend.kernel.times import say_span
from pgtend.watchdog.channels import Letter
from pgtend.watchdog.model import Look, Notice, Occasion, Sign

_LONGEST_TITLE = 160


def letter_about(fleet: Fleet, notices: Sequence[Notice], now: datetime) -> Letter:
    """Put everything that is news into one message: when a server is down, it is one problem and not twenty."""
    worst = [notice for notice in notices if notice.occasion is not Occasion.RECOVERED]
    first = (worst or list(notices))[0]
    more = f", and {len(notices) - 1} more" if len(notices) > 1 else ""
    name = f"[{fleet.fleet} {fleet.environment}] watchdog"
    what = first.case.look.message if worst else f"{first.case.look.key} is well again"
    return Letter(
        title=shorten(f"{name}: {what}{more}", _LONGEST_TITLE, placeholder=" ..."),
        text="\n\n".join(_paragraph(notice, now) for notice in notices) + f"\n\n{_SIGNED}\n",
        is_good_news=not worst,
    )


_SIGNED = "This is the watchdog, outside Airflow. It tells once when something breaks, and once when it is over."


def _paragraph(notice: Notice, now: datetime) -> str:
    look, since = notice.case.look, say_span(now - notice.case.since)
    if notice.occasion is Occasion.RECOVERED:
        return f"WELL AGAIN: {look.key}, after {since}. It was: {look.message} [{look.code}]"
    head = f"{'BROKEN' if notice.occasion is Occasion.OPENED else f'STILL BROKEN, for {since}'}: {look.key}"
    return "\n".join(filter(None, (head, f"    {look.message} [{look.code}]", _said(look.detail), _said(look.hint))))


def _said(text: str) -> str:
    return "\n".join(f"    {line.strip()}" for line in text.splitlines() if line.strip())


def summary(fleet: Fleet, looks: Sequence[Look], more: Sequence[str]) -> Letter:
    """Write the summary that comes also when all is well: its absence is the signal."""
    wrong = [look for look in looks if look.sign is Sign.BROKEN]
    unseen = [look for look in looks if look.sign is Sign.UNKNOWN]
    verdict = "all is well" if not wrong and not unseen else f"{len(wrong)} broken, {len(unseen)} not to be seen"
    lines = [f"    {look.key}: {look.sign}{f', {look.says}' if look.says else ''}" for look in looks]
    channels = ", ".join(fleet.alerts.channels)
    return Letter(
        title=f"[{fleet.fleet} {fleet.environment}] watchdog: {verdict}",
        text="\n".join(
            (
                f"The watchdog lives, and its messages come through. Channels: {channels}.",
                "When this summary does not come, find out why: nobody else would tell.",
                "",
                *lines,
                "",
                *more,
                "",
            )
        ),
        is_good_news=not wrong,
    )
