"""Which backup is drilled, by which rule, and what is overdue: pure, and a random choice can be repeated."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pgtend.backup.catalogue import LATEST, Catalogue, CatalogueEntry
from pgtend.backup.errors import NoSuchBackup
from pgtend.backup.states import BackupState
from pgtend.drill.model import CheckName, Rule, Selection
from pgtend.fleet.model import Database, DrillRules

RECENT = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class PastDrill:
    """What selection has to know about a drill that was done."""

    rule: Rule
    vault: str
    ended_at: datetime
    proved: bool
    """Whether it passed, wholly or in part."""
    checks: frozenset[CheckName] = frozenset()
    """What was due in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Debt:
    """How long ago a rule was followed last, and how late it is."""

    rule: Rule
    every: timedelta
    last: datetime | None
    late: timedelta
    """Beyond the cadence; negative while it is not due yet."""

    @property
    def is_due(self) -> bool:
        """Whether it should be drilled now."""
        return self.late >= timedelta()


@dataclass(frozen=True, slots=True)
class Chosen:
    """A backup, and how it was chosen."""

    entry: CatalogueEntry
    candidates: int
    seed: str = ""

    def selection(self, rule: Rule, *, vault: str, key_name: str) -> Selection:
        """Say how it was chosen, where from, and with whose key it opens."""
        return Selection(rule=rule, seed=self.seed, candidates=self.candidates, vault=vault, key_name=key_name)


def cadences(database: Database) -> Mapping[Rule, timedelta]:
    """List the rules that apply to a database, with their cadence."""
    every = database.drill.every
    found = {Rule.NEWEST: every.newest, Rule.RANDOM: every.random, Rule.OLDEST: every.oldest}
    if database.backup.copies:
        found[Rule.SECOND_VAULT] = every.second_vault
    if database.drill.escrow_recipient and not database.backup.unencrypted:
        found[Rule.ESCROW_KEY] = every.escrow_key
    return found


def debts(database: Database, past: Sequence[PastDrill], now: datetime) -> tuple[Debt, ...]:
    """Say for each rule how late it is, the most overdue first. A drill that failed pays no debt."""
    found: list[Debt] = []
    for rule, every in cadences(database).items():
        last = _last_proved(rule, vault_for(database, rule, past), past)
        found.append(Debt(rule=rule, every=every, last=last, late=now - last - every if last else timedelta.max))
    order = {rule: number for number, rule in enumerate(Rule)}
    return tuple(sorted(found, key=lambda debt: (-_share(debt), order[debt.rule])))


def due_rule(database: Database, past: Sequence[PastDrill], now: datetime) -> Rule:
    """Choose the rule that a scheduled drill follows: the most overdue one, and the newest backup when none is."""
    worst = debts(database, past, now)
    # Half a day of slack: a weekly drill must not wait another week because the last one ended an hour later.
    slack = timedelta(hours=12)
    return next((debt.rule for debt in worst if debt.late >= -slack), Rule.NEWEST)


def vault_for(database: Database, rule: Rule, past: Sequence[PastDrill]) -> str:
    """Choose the vault to drill from: of several second ones that whose copies were proved longest ago, or never."""
    if rule is not Rule.SECOND_VAULT or not database.backup.copies:
        return database.vault

    def last(name: str) -> float:
        proved = _last_proved(rule, name, past)
        return proved.timestamp() if proved else -math.inf

    return min(sorted(database.backup.copies), key=last)


def _last_proved(rule: Rule, vault: str, past: Sequence[PastDrill]) -> datetime | None:
    """Tell when a rule was followed last with success; what was proved of one copy says nothing about another."""
    good = (one for one in past if one.rule is rule and one.proved)
    return max((one.ended_at for one in good if one.vault == vault or rule is not Rule.SECOND_VAULT), default=None)


def due_extras(rules: DrillRules, past: Sequence[PastDrill], now: datetime) -> frozenset[CheckName]:
    """Choose the checks with a cadence of their own that are due."""
    spans = {
        CheckName.SECOND_GENERATION: rules.second_generation,
        CheckName.NEGATIVE_CONTROL: rules.negative_control,
    }
    return frozenset(
        name
        for name, every in spans.items()
        if not any(name in drill.checks and drill.proved and now - drill.ended_at < every for drill in past)
    )


def choose(catalogue: Catalogue, rule: Rule, wanted: str, now: datetime, seed: str) -> Chosen:
    """Choose one backup. A broken one is a candidate too, so that it can be shown to be whole after all."""
    entries = [entry for entry in catalogue.entries if entry.state is not BackupState.DAMAGED]
    if rule is Rule.CHOSEN:
        return Chosen(catalogue.choose(wanted), len(catalogue.entries))
    if not entries:
        return Chosen(catalogue.choose(LATEST), 0)
    if rule is Rule.OLDEST:
        return Chosen(entries[-1], len(entries))
    if rule is Rule.RANDOM:
        recent = [entry for entry in entries if entry.taken_at > now - RECENT]
        if not recent:
            raise NoSuchBackup(
                f"there is no backup of {catalogue.database} of the last {RECENT.days} days to choose from",
                detail=f"Looked in {catalogue.place}.",
                hint=f"Take one: `pgtend backup {catalogue.database}`.",
            )
        return Chosen(recent[pick(seed, [entry.backup_id for entry in recent])], len(recent), seed)
    return Chosen(entries[0], len(entries))


def pick(seed: str, names: Sequence[str]) -> int:
    """Pick one of these names by the seed alone, the same one whenever it is asked again."""
    drawn = {name: hashlib.sha256(f"{seed}/{name}".encode()).hexdigest() for name in names}
    return min(range(len(names)), key=lambda number: drawn[names[number]])


def _share(debt: Debt) -> float:
    """How overdue it is, measured by its own cadence: a week late is much for a weekly drill, little for a yearly."""
    return debt.late / debt.every
