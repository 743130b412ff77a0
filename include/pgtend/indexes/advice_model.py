"""What could be advised about indexes, from plans and from the catalogue, and when a proof is one. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from pgtend.postgres.identifiers import column, relation
from pgtend.statements.plans import Json

# Below a tenth of a millisecond a difference is noise of the machine; what writers pay is counted separately.
NOISE = 0.1
_MOST_KEYS = 3
_LONGEST_NAME = 63
_FEW_ROWS = 1000
_NAME = r'(?:"[^"]+"|\w+)'
_COMPARED = re.compile(
    rf"\(?(?:{_NAME}\.)?({_NAME})\)?(?:::[\w ]+(?:\[\])?)? (=|<>|<=|>=|<|>|~~\*?|@>|\?) (\(?\$\d+|\(?ANY|\S+)"
)
_LOWERED = re.compile(rf"(lower|upper)\(\(?(?:{_NAME}\.)?({_NAME})\)?(?:::text)?\) = ")
_IS_NULL = re.compile(rf"\((?:{_NAME}\.)?({_NAME}) IS NULL\)")
_SORTED = re.compile(rf"^(?:{_NAME}\.)?({_NAME})( DESC)?(?: NULLS (?:FIRST|LAST))?$")
_JOINED = re.compile(rf"\({_NAME}\.({_NAME}) = {_NAME}\.({_NAME})\)")
_READS = frozenset({"Seq Scan", "Index Scan", "Bitmap Heap Scan", "Index Only Scan"})


class Kind(StrEnum):
    """What is advised. Kept and shown as written."""

    MISSING = "missing index"
    FOREIGN_KEY = "foreign key without an index"
    DUPLICATE = "duplicate index"
    COVERED = "index covered by a longer one"
    UNUSED = "unused index"


class Status(StrEnum):
    """How far an advice has come. Kept and shown as written."""

    ADVISED = "advised"
    CANDIDATE = "candidate"
    REFUTED = "refuted"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableColumns:
    """A table, its columns with their types, and how many rows it has."""

    schema: str
    name: str
    rows: int
    types: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A statement without its values, and what it cost in the span that was looked at."""

    text: str
    role: str
    calls: int
    exec_ms: float

    @property
    def writes(self) -> bool:
        """Whether it changes rows."""
        return bool(re.match(r"\s*(insert|update|delete|merge)\b", self.text, re.IGNORECASE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A change of indexes that may be worth it."""

    kind: Kind
    schema: str
    table: str
    name: str
    shape: str = ""
    """From the word USING on; empty where an index would be dropped."""
    definition: str = ""
    """Of an index to drop: how to make it again."""
    why: str = ""
    helps: tuple[Statement, ...] = field(default=())

    @property
    def is_new(self) -> bool:
        """Whether an index would be made, and not dropped."""
        return bool(self.shape)

    @property
    def up(self) -> str:
        """The statement that would do it."""
        if not self.is_new:
            return f"DROP INDEX CONCURRENTLY {self._name};"
        table = relation(self.schema, self.table).as_string(None)
        return f"CREATE INDEX CONCURRENTLY {column(self.name).as_string(None)} ON {table} {self.shape};"

    @property
    def down(self) -> str:
        """The statement that would take it back."""
        if self.is_new:
            return f"DROP INDEX CONCURRENTLY {self._name};"
        again = re.sub(r"^CREATE (UNIQUE )?INDEX ", r"CREATE \1INDEX CONCURRENTLY ", self.definition)
        return f"{again};"

    @property
    def _name(self) -> str:
        return relation(self.schema, self.name).as_string(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What was measured on a copy."""

    gain: float
    """Share of its time that the statement it is for was faster by, at best."""
    worst_harm: float
    """Share of its time that the worst other statement was slower by."""
    write_cost: float
    """Seconds a day that keeping the index costs its writers."""
    saved: float
    """Seconds a day that its readers are faster by."""
    size: int
    took_to_build: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """A candidate with its verdict."""

    candidate: Candidate
    status: Status
    priority: str
    why: str
    proof: Proof | None = None


def judge(candidate: Candidate, proof: Proof | None, *, least_improvement: float, most_harm: float) -> Advice:
    """Call a candidate advised only when a copy proved it; whatever is not proved stays a candidate."""
    if proof is None:
        return Advice(candidate=candidate, status=Status.CANDIDATE, priority="low", why=candidate.why)
    refusal = _refusal(candidate, proof, least_improvement, most_harm)
    if refusal:
        return Advice(candidate=candidate, status=Status.REFUTED, priority="low", why=refusal, proof=proof)
    said = f"{candidate.why}; on a copy {proof.gain:.0%} faster" if candidate.is_new else candidate.why
    return Advice(candidate=candidate, status=Status.ADVISED, priority=_priority(proof), why=said, proof=proof)


def _refusal(candidate: Candidate, proof: Proof, least: float, most: float) -> str:
    if proof.worst_harm > most:
        return f"another statement became {proof.worst_harm:.0%} slower on a copy"
    if candidate.is_new and proof.gain < least:
        return f"the statement it is for became only {proof.gain:.0%} faster on a copy"
    if candidate.kind is Kind.MISSING and proof.saved < proof.write_cost:
        return f"it would cost its writers {proof.write_cost:.1f} s a day and save {proof.saved:.1f} s"
    return ""


def _priority(proof: Proof) -> str:
    if proof.saved >= 60:  # noqa: PLR2004 - a minute a day
        return "high"
    return "medium" if proof.saved >= 1 else "low"


def candidates_of(
    statement: Statement, tree: Mapping[str, Json], tables: Mapping[str, TableColumns]
) -> Iterator[Candidate]:
    """Read from a plan which indexes would have let it read less."""
    for node, sorts in _scans(tree, ()):
        table = tables.get(str(node.get("Relation Name", "")))
        if table is None or table.rows < _FEW_ROWS:
            continue
        yield from _for_scan(statement, node, sorts, table)


def _scans(node: Mapping[str, Json], above: tuple[str, ...]) -> Iterator[tuple[Mapping[str, Json], tuple[str, ...]]]:
    """Walk a plan; with each scan goes what is sorted and joined directly above it."""
    inner = above
    if node.get("Node Type") in {"Sort", "Incremental Sort"}:
        inner = tuple(f"sort {key}" for key in _texts(node.get("Sort Key")))
    elif "Hash Cond" in node or "Merge Cond" in node or "Join Filter" in node:
        conditions = (node.get("Hash Cond"), node.get("Merge Cond"), node.get("Join Filter"))
        inner = tuple(f"join {text}" for condition in conditions for text in _texts(condition))
    elif node.get("Node Type") in {"Aggregate", "HashAggregate", "GroupAggregate"}:
        inner = ()
    if node.get("Node Type") in _READS:
        yield node, above
    children = node.get("Plans")
    for child in children if isinstance(children, list) else ():
        if isinstance(child, dict):
            yield from _scans(child, inner)


def _texts(value: Json) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(str(part) for part in value)
    return (value,) if isinstance(value, str) else ()


def _for_scan(
    statement: Statement, node: Mapping[str, Json], above: Sequence[str], table: TableColumns
) -> Iterator[Candidate]:
    condition = " ".join((*_texts(node.get("Filter")), *_texts(node.get("Index Cond"))))
    equal, ranged, inverted = _compared(condition, table)
    equal += [f"{name}({quoted(found)})" for name, found in _LOWERED.findall(condition) if _plain(found) in table.types]
    sorted_by = [
        quoted(m.group(1)) + (m.group(2) or "")
        for key in above
        if (m := _SORTED.match(key[5:])) and key.startswith("sort ") and _plain(m.group(1)) in table.types
    ]
    joined = [
        quoted(side)
        for text in above
        if text.startswith("join ")
        for pair in _JOINED.findall(text)
        for side in pair
        if _plain(side) in table.types
    ]
    sorted_by = sorted_by or _ordered(statement.text, table)
    where = _partial(condition, table)
    for keys in _key_lists(equal, ranged, sorted_by, joined):
        yield _candidate(statement, table, f"USING btree ({', '.join(keys)})")
        if where and keys:
            yield _candidate(statement, table, f"USING btree ({', '.join(keys)}) WHERE {where}")
    for name, operator in inverted:
        operators = " jsonb_path_ops" if operator == "@>" and table.types[_plain(name)] == "jsonb" else ""
        yield _candidate(statement, table, f"USING gin ({quoted(name)}{operators})")


def _key_lists(
    equal: Sequence[str], ranged: Sequence[str], sorted_by: Sequence[str], joined: Sequence[str]
) -> list[tuple[str, ...]]:
    """Combine: what is equal first, then one range or the order; each alone too, and never more than three keys."""
    first = tuple(dict.fromkeys(equal))[:_MOST_KEYS]
    found = [
        *((*first, one) for one in ranged[:2]),
        (*first, *sorted_by[:2]) if sorted_by else (),
        first,
        *((one,) for one in first),
        *((one,) for one in ranged[:2]),
        *((one,) for one in dict.fromkeys(joined)),
    ]
    return list(dict.fromkeys(tuple(dict.fromkeys(keys))[:_MOST_KEYS] for keys in found if keys))


def _compared(condition: str, table: TableColumns) -> tuple[list[str], list[str], list[tuple[str, str]]]:
    equal: list[str] = []
    ranged: list[str] = []
    inverted: list[tuple[str, str]] = []
    for name, operator, _ in _COMPARED.findall(condition):
        kind = table.types.get(_plain(name), "")
        if not kind:
            continue
        if operator in {"@>", "?"} and kind == "jsonb":
            inverted.append((name, operator))
        elif operator == "=" and not kind.startswith("json"):
            equal.append(quoted(name))
        elif operator in {"<", ">", "<=", ">="}:
            ranged.append(quoted(name))
    return list(dict.fromkeys(equal)), list(dict.fromkeys(ranged)), list(dict.fromkeys(inverted))


def _partial(condition: str, table: TableColumns) -> str:
    """Take as condition of a partial index what holds no value: a truth and an absence."""
    absent = [f"{quoted(name)} IS NULL" for name in _IS_NULL.findall(condition) if _plain(name) in table.types]
    true = [said for name, kind in table.types.items() if kind == "boolean" for said in _truths(condition, name)]
    return " AND ".join([*absent, *true])


def _truths(condition: str, name: str) -> list[str]:
    bare = rf"(?:{_NAME}\.)?{re.escape(quoted(name))}"
    if re.search(rf"\(NOT {bare}\)", condition):
        return [f"NOT {quoted(name)}"]
    return [quoted(name)] if re.search(rf"(?:^|\(|AND ){bare}(?:\)| AND|$)", condition) else []


def _ordered(text: str, table: TableColumns) -> list[str]:
    """Read the order from the statement where the plan has no sort, because it walks another index in that order."""
    found = re.search(r"ORDER BY ((?:[\w.\"]+(?: ASC| DESC)?(?:, )?)+)", text, re.IGNORECASE)
    keys = [key.strip().removesuffix(" ASC") for key in found.group(1).split(",")] if found else []
    sorts = [match for key in keys if (match := _SORTED.match(key))]
    return [quoted(m.group(1)) + (m.group(2) or "") for m in sorts if _plain(m.group(1)) in table.types]


def _candidate(statement: Statement, table: TableColumns, shape: str) -> Candidate:
    return Candidate(
        kind=Kind.MISSING,
        schema=table.schema,
        table=table.name,
        name=name_for(table.name, shape),
        shape=shape,
        why=f"a statement that ran {statement.calls:,} times reads rows only to throw them away",
        helps=(statement,),
    )


def name_for(table: str, shape: str) -> str:
    """Name an index by its table and columns; the end tells apart what differs otherwise."""
    words = "_".join(re.findall(r"\w+", re.sub(r"USING \w+|jsonb_path_ops|DESC|WHERE", " ", shape)))
    mark = hashlib.sha256(shape.encode()).hexdigest()[:6]
    return f"{table}_{words}"[: _LONGEST_NAME - len(mark) - 1].rstrip("_") + f"_{mark}"


def _plain(name: str) -> str:
    return name.strip('"')


def quoted(name: str) -> str:
    """Write a column as the server does: in quotes only where it must be."""
    plain = _plain(name)
    return plain if re.fullmatch(r"[a-z_][a-z0-9_]*", plain) else column(plain).as_string(None)


def merged(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Let the same index, wanted by several statements, be one candidate; those that help most come first."""
    helped: dict[tuple[str, str, str], list[Candidate]] = {}
    for candidate in candidates:
        helped.setdefault((candidate.schema, candidate.table, candidate.shape or candidate.name), []).append(candidate)
    made = [
        Candidate(
            kind=same[0].kind,
            schema=same[0].schema,
            table=same[0].table,
            name=same[0].name,
            shape=same[0].shape,
            definition=same[0].definition,
            why=same[0].why,
            helps=tuple(dict.fromkeys(statement for one in same for statement in one.helps)),
        )
        for same in helped.values()
    ]
    return tuple(sorted(made, key=lambda c: -sum(statement.exec_ms for statement in c.helps)))
