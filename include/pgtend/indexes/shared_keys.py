"""Finds out how many rows of a table share the keys that a sample has, by asking the very index in question."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

from pgtend.indexes.postings import Seen, fullness, fullness_of, mean_room
from pgtend.postgres.identifiers import Composable, all_of, column, expression, from_catalogue, listed, number, relation
from pgtend.postgres.session import Session
from pgtend.sqlfiles import command, query

# More rows of one key are not counted: what they leave empty on their last page hardly matters to so many.
_MOST = 1024
_FIRST = 10
_FEWEST = 2
# Where nearly all keys occur so often in a sample, it lacks hardly any: neighbours there are neighbours in the table.
_OFTEN = 8
_NEARLY_ALL = 0.99
_RUNS = 2
_RUN = 144
_GOOD = 0.005
_KEYS = relation("pg_temp", "pgtend_keys")


@dataclass(frozen=True, slots=True)
class KeyPart:
    """A column or an expression of an index whose equal keys may share entries."""

    name: str
    expression: str
    equal: str
    absent: str


@dataclass(frozen=True, slots=True)
class KeyCount:
    """So many keys occur so many times in a sample."""

    stratum: int
    times: int
    entry: int
    keys: int


@dataclass(frozen=True, slots=True)
class Absence:
    """Which parts of a key are NULL, a letter for each."""

    absent: str


@dataclass(frozen=True, slots=True)
class FoundKey:
    """A key of a sample, and how many rows of the table have it."""

    place: int
    times: int
    entry: int
    rows: int


@dataclass(frozen=True, slots=True)
class PagesRead:
    """How many pages of a table our transaction looked at."""

    pages: int


@dataclass(frozen=True, slots=True)
class Ways:
    """How the table may be read, as the server took it."""

    scan: str
    bitmap: str
    compiled: str


READ_KEY_PARTS = query(__package__ or "", "read_key_parts", KeyPart)
NOTE_KEYS = command(__package__ or "", "note_keys")
COUNT_KEYS = query(__package__ or "", "count_keys", KeyCount)
USE_THE_INDEX = query(__package__ or "", "use_the_index", Ways)
FIND_ABSENT = query(__package__ or "", "find_absent", Absence)
READ_PAGES = query(__package__ or "", "read_pages", PagesRead)
LOOK_UP_KEYS = query(__package__ or "", "look_up_keys", FoundKey)


@dataclass(frozen=True, slots=True)
class Sharing:
    """How many times the room it takes in a sample a row takes in its table, and how wrong that may be."""

    ratio: float
    error: float


NOT_SHARED = Sharing(1.0, 0.0)


@dataclass(slots=True)
class Stratum:
    """Keys that occur about equally often in a sample."""

    number: int
    sampled: tuple[Seen, ...]
    keys: int
    share: float
    """Of the rows of the sample."""
    seen: list[Seen] = field(default_factory=list[Seen])
    pages: int = 0
    """That were read to look them up."""

    @property
    def all_keys(self) -> float:
        """How many keys the sample has of it."""
        return sum(one.weight / one.rows for one in self.sampled)

    @property
    def room(self) -> float:
        """What a row of these keys takes in the table."""
        return mean_room(self.seen)

    @property
    def variance(self) -> float:
        """How unsure that is: by what differs among the keys that were looked up, and by what none of them showed."""
        count, whole, room = len(self.seen), sum(one.weight for one in self.seen), self.room
        if count >= self.keys:
            return 0.0
        differs = sum((one.weight / whole * (one.room - room)) ** 2 for one in self.seen) * count / (count - 1)
        never_seen = max(mean_room(self.sampled) - self.sampled[0].least_room, 0.0) / count
        return self.share**2 * (differs + never_seen**2)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysInTable:
    """The keys of a sample that our transaction has, and the table they came from."""

    session: Session
    table: Composable
    table_oid: int
    sample: Composable
    parts: Sequence[KeyPart]
    condition: str
    part_of_table: float
    most_pages: int

    def sharing(self) -> Sharing:
        """Look up keys of every stratum, most where most is unsure, until the answer is good or enough was read."""
        self._note()
        strata = self._strata()
        for stratum in strata:
            self._look_up(stratum, _FIRST if _pages(strata) < self.most_pages else _FEWEST)
        while (error := _unsure(strata)) > _GOOD and _pages(strata) < self.most_pages:
            best = max(strata, key=lambda one: one.variance / max(one.pages, 1))
            self._look_up(best, max(min(len(best.seen), self._affords(best, strata)), 1))
        return Sharing(_ratio(strata, self._neighbours(strata)), error)

    def _affords(self, stratum: Stratum, strata: Sequence[Stratum]) -> int:
        return (self.most_pages - _pages(strata)) * len(stratum.seen) // max(stratum.pages, 1)

    def _note(self) -> None:
        names = [column(part.name) for part in self.parts]
        self.session.run(
            NOTE_KEYS,
            sample=self.sample,
            named=listed(
                expression("{one} AS {name}", one=from_catalogue(part.expression), name=column(part.name))
                for part in self.parts
            ),
            names=listed(names),
            absences=listed(expression("{name} IS NULL", name=name) for name in names),
            condition=from_catalogue(self.condition),
        )
        self.session.row(USE_THE_INDEX)

    def _strata(self) -> list[Stratum]:
        counts = self.session.rows(COUNT_KEYS, keys=_KEYS)
        rows = sum(count.times * count.keys for count in counts)
        return [
            _stratum(number, list(found), rows) for number, found in groupby(counts, key=lambda count: count.stratum)
        ]

    def _look_up(self, stratum: Stratum, more: int) -> None:
        first = min(one.rows for one in stratum.sampled)
        if first >= _MOST:
            stratum.seen = [Seen(one.weight, self._guess(one.rows), one.entry) for one in stratum.sampled]
            stratum.keys = 0
            return
        done, before = len(stratum.seen), self._read_so_far()
        template = "pgtend_k.stratum = {stratum} AND pgtend_k.turn > {low} AND pgtend_k.turn <= {high}"
        low, high = number(done), number(done + more)
        stratum.seen += self._found(expression(template, stratum=number(stratum.number), low=low, high=high))
        # Of the index a page for each key, of the table what its visibility map does not spare.
        stratum.pages += self._read_so_far() - before + len(stratum.seen) - done

    def _neighbours(self, strata: Sequence[Stratum]) -> list[Seen]:
        """Look up long runs of neighbouring keys; none where the sample lacks some, or they would cost too much."""
        keys = sum(stratum.all_keys for stratum in strata)
        often = sum(one.weight / one.rows for stratum in strata for one in stratum.sampled if one.rows >= _OFTEN)
        each = _pages(strata) / max(sum(len(stratum.seen) for stratum in strata), 1)
        if often < keys * _NEARLY_ALL or each * _RUNS * _RUN > self.most_pages - _pages(strata):
            return []
        starts = [round(keys * run / _RUNS) for run in range(_RUNS)]
        template = "pgtend_k.place > {low} AND pgtend_k.place <= {high}"
        chosen = (expression(template, low=number(start), high=number(start + _RUN)) for start in starts)
        return [one for run in chosen for one in self._found(run)]

    def _found(self, chosen: Composable) -> list[Seen]:
        found: list[FoundKey] = []
        for absence in self.session.rows(FIND_ABSENT, keys=_KEYS, chosen=chosen):
            asked = {"absent": absence.absent, "most": _MOST}
            condition = all_of((*self._equal(absence.absent), from_catalogue(self.condition)))
            found += self.session.rows(
                LOOK_UP_KEYS, asked, table=self.table, keys=_KEYS, condition=condition, chosen=chosen
            )
        return [Seen(key.times, self._rows(key), key.entry) for key in sorted(found, key=lambda key: key.place)]

    def _read_so_far(self) -> int:
        return self.session.row(READ_PAGES, {"table": self.table_oid}).pages

    def _equal(self, absent: str) -> list[Composable]:
        letters = zip(self.parts, absent, strict=True)
        return [from_catalogue(part.absent if letter == "t" else part.equal) for part, letter in letters]

    def _rows(self, key: FoundKey) -> int:
        return key.rows if key.rows < _MOST else max(self._guess(key.times), _MOST)

    def _guess(self, times: int) -> int:
        return round(times / self.part_of_table)


def _stratum(number: int, counts: Sequence[KeyCount], rows: int) -> Stratum:
    sampled = tuple(Seen(count.times * count.keys, count.times, count.entry) for count in counts)
    share = sum(one.weight for one in sampled) / rows
    return Stratum(number, sampled, sum(count.keys for count in counts), share)


def _room(strata: Sequence[Stratum]) -> float:
    return sum(stratum.share * stratum.room for stratum in strata)


def _pages(strata: Sequence[Stratum]) -> int:
    return sum(stratum.pages for stratum in strata)


def _unsure(strata: Sequence[Stratum]) -> float:
    """Tell the standard error of the room that a row takes, as a part of it."""
    return math.sqrt(sum(stratum.variance for stratum in strata)) / _room(strata)


def _ratio(strata: Sequence[Stratum], neighbours: Sequence[Seen]) -> float:
    sampled = [one for stratum in strata for one in stratum.sampled]
    seen = [one for stratum in strata for one in _as_many(stratum, sampled)]
    full = fullness_of(neighbours) if neighbours else fullness(seen)
    return _room(strata) / full / (mean_room(sampled) / fullness(sampled))


def _as_many(stratum: Stratum, sampled: Sequence[Seen]) -> list[Seen]:
    """Let the keys that were looked up stand for all of their stratum."""
    rows = stratum.share * sum(one.weight for one in sampled)
    times = rows / sum(one.weight for one in stratum.seen)
    return [Seen(one.weight * times, one.rows, one.entry) for one in stratum.seen]
