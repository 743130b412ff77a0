"""One round of the watchdog: look at everything, decide what is news, tell it, remember it, and give a sign of life."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from pgtend.drill.receipts.book import ReceiptBook
from pgtend.drill.receipts.signer import vault_of_receipts
from pgtend.fleet.model import Fleet
from pgtend.kernel.errors import PgtendError
from pgtend.kernel.progress import Progress
from pgtend.kernel.times import Clock, utc_now
from pgtend.watchdog.channels import Letter, Way, beat, send_to_all, ways_of
from pgtend.watchdog.connections import Connections
from pgtend.watchdog.errors import NobodyTold
from pgtend.watchdog.looking import Round, look_around
from pgtend.watchdog.model import Look, Notice, Sign, is_time_to_sum_up, told, turn
from pgtend.watchdog.state import Memory, remembering
from pgtend.watchdog.writing import letter_about, summary


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundReport:
    """What one round saw and told."""

    looks: tuple[Look, ...]
    notices: tuple[Notice, ...]
    untold: bool

    @property
    def broken(self) -> tuple[Look, ...]:
        """What is broken now."""
        return tuple(look for look in self.looks if look.sign is Sign.BROKEN)

    def __str__(self) -> str:
        seen = f"{len(self.looks)} things looked at, {len(self.broken)} broken"
        return f"{seen}, {len(self.notices)} told{', and no channel took it' if self.untold else ''}"


def watch_once(
    fleet: Fleet, connections: Connections, path: Path, progress: Progress, *, clock: Clock = utc_now
) -> RoundReport:
    """Look once, and tell what is news."""
    with remembering(path) as memory:
        ways = ways_of(fleet.alerts.channels, connections)
        now = clock()
        round_ = Round(fleet=fleet, connections=connections, now=now, watched_since=memory.book.watched_since)
        looks = look_around(round_, ways)
        turned = turn(memory.book, looks, now, fleet.alerts.remind_every)
        memory.save(turned.book)
        untold = not _tell(fleet, ways, memory, turned.notices, now, progress)
        untold = not _sum_up(round_, ways, memory, looks, progress) or untold
    report = RoundReport(looks=tuple(looks), notices=turned.notices, untold=untold)
    progress(str(report))
    if not untold:
        _beat(fleet, connections, progress)
    return report


def raise_if_untold(report: RoundReport) -> None:
    """Fail when there is something to tell and nobody took it: cron's own mail is the last way out."""
    if report.untold:
        raise NobodyTold(
            "no channel took what the watchdog has to tell",
            detail="; ".join(look.message for look in report.broken) or "It is the summary.",
            hint="Follow docs/runbooks/alert-channel-broken.md. The dead-man's switch is left alone meanwhile.",
        )


def _tell(  # noqa: PLR0913, PLR0917 - the parts of a round
    fleet: Fleet, ways: Sequence[Way], memory: Memory, notices: Sequence[Notice], now: datetime, progress: Progress
) -> bool:
    """Tell what is news; what nobody took stays news."""
    for notice in notices:
        progress(f"{notice.case.look.key} is {notice.occasion}: {notice.case.look.message}")
    if not notices:
        return True
    wanted = fleet.alerts.wanting(wakes_somebody=any(notice.case.look.wakes_somebody for notice in notices))
    if not _sent([way for way in ways if way.name in wanted], letter_about(fleet, notices, now), progress):
        return False
    memory.save(told(memory.book, notices, now))
    return True


def _sum_up(round_: Round, ways: Sequence[Way], memory: Memory, looks: Sequence[Look], progress: Progress) -> bool:
    fleet, now = round_.fleet, round_.now
    if not is_time_to_sum_up(memory.book, fleet.watchdog.all_is_well, fleet.timezone, now):
        return True
    if not _sent(ways, summary(fleet, looks, _newest_receipt(round_)), progress):
        return False
    memory.save(replace(memory.book, summed_up_at=now))
    return True


def _sent(ways: Sequence[Way], letter: Letter, progress: Progress) -> bool:
    """Send to every channel, and tell whether any took it; without channels there is nobody to tell."""
    took, wrong = send_to_all(ways, letter)
    for error in wrong:
        progress(f"{error.message} [{error.code}]")
    if not ways:
        progress(f"the fleet file names no alert channel, so nobody is told: {letter.title}")
    return bool(took) or not ways


def _newest_receipt(round_: Round) -> Sequence[str]:
    """Name the newest receipt, so that people's mailboxes remember it where nobody can rewrite it."""
    fleet = round_.fleet
    try:
        with round_.connections.vault(fleet.vaults[vault_of_receipts(fleet)]) as vault:
            head = ReceiptBook(vault=vault, fleet=fleet.fleet).tip()
    except PgtendError as error:
        return (f"The newest receipt could not be read: {error.message}.",)
    return (f"The newest receipt of a drill is {head}.",) if head.sequence else ("No drill has issued a receipt yet.",)


def _beat(fleet: Fleet, connections: Connections, progress: Progress) -> None:
    """Give a sign of life; that it is not taken is for the switch itself to notice."""
    if fleet.watchdog.heartbeat is None:
        return
    try:
        beat(connections.require(fleet.watchdog.heartbeat))
    except PgtendError as error:
        progress(f"{error.message} [{error.code}]")
