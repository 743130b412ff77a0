"""Reads from the plan of a statement which indexes would have let it read less. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pgtend.indexes.advice_model import Candidate, Kind, Statement, TableColumns
from pgtend.postgres.identifiers import column
from pgtend.statements.plans import Json

_MOST_KEYS = 3
_MOST_INCLUDED = 3
_LONGEST_NAME = 63
_FEW_ROWS = 1000
# Below this a table is read in a moment whatever its order, and a block range index tells hardly any pages apart.
_LARGE = 4 * 1024 * 1024
_IN_ORDER = 0.99
_NAME = r'(?:"[^"]+"|\w+)'
_OPERATORS = r"=|<>|<=|>=|<|>|~~\*?|@>|<@|&&|\?[|&]?"
_COMPARED = re.compile(rf"\(?(?:{_NAME}\.)?({_NAME})\)?(?:::[\w ]+(?:\[\])?)? ({_OPERATORS}) (\(?\$\d+|\(?ANY|\S+)")
_LOWERED = re.compile(rf"(lower|upper)\(\(?(?:{_NAME}\.)?({_NAME})\)?(?:::text)?\) = ")
_IS_NULL = re.compile(rf"\((?:{_NAME}\.)?({_NAME}) IS NULL\)")
_SORTED = re.compile(rf"^(?:{_NAME}\.)?({_NAME})( DESC)?(?: NULLS (?:FIRST|LAST))?$")
_JOINED = re.compile(rf"\({_NAME}\.({_NAME}) = {_NAME}\.({_NAME})\)")
_CONDITIONS = ("Filter", "Index Cond", "Recheck Cond")
_READS = frozenset({"Seq Scan", "Index Scan", "Bitmap Heap Scan", "Index Only Scan"})
_MOMENTS = ("timestamp", "date")
# What may be long, and would make an index as large as its table, or a row too large for it.
_WIDE = ("text", "json", "bytea", "xml", "tsvector")
_LONG_TEXT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What one scan of a plan would have liked to find its rows by."""

    equal: Sequence[str] = ()
    ranged: Sequence[str] = ()
    inverted: Sequence[tuple[str, str]] = ()
    sorted_by: Sequence[str] = ()
    joined: Sequence[str] = ()
    where: str = ""
    """What holds of all rows it wants, without a value in it."""


def candidates_of(
    statement: Statement, tree: Mapping[str, Json], tables: Mapping[str, TableColumns], *, holds_always: bool = True
) -> Iterator[Candidate]:
    """Read from a plan which indexes would have let it read less.

    A plan for one set of values may show a truth that holds for these alone, and then no index may rest on it.
    """
    scans = [(node, above, tables.get(str(node.get("Relation Name", "")))) for node, above in _scans(tree, ())]
    is_alone = len(scans) == 1
    for node, above, table in scans:
        if table is None or table.rows < _FEW_ROWS:
            continue
        wish = _wish(statement, node, above, table)
        wish = wish if holds_always else replace(wish, where="")
        yield from (_candidate(statement, table, shape) for shape in _shapes(statement, wish, table, is_alone=is_alone))


def _shapes(statement: Statement, wish: Wish, table: TableColumns, *, is_alone: bool) -> Iterator[str]:
    lists = _key_lists(wish)
    for keys in lists:
        yield f"USING btree ({', '.join(keys)})"
        if wish.where:
            yield f"USING btree ({', '.join(keys)}) WHERE {wish.where}"
    included = _included(statement.text, lists[0], table) if lists and is_alone else ()
    if included:
        yield f"USING btree ({', '.join(lists[0])}) INCLUDE ({', '.join(included)})"
    for name in wish.ranged:
        if _is_in_order(name, table):
            yield f"USING brin ({name}) WITH (pages_per_range='32', autosummarize='on')"
    for name, operators in wish.inverted:
        yield f"USING gin ({name}{operators})"


def _is_in_order(name: str, table: TableColumns) -> bool:
    """Tell whether rows lie in the order of their time and stay there, so that a range of pages is a span of time."""
    plain = _plain(name)
    is_moment = table.types[plain].startswith(_MOMENTS)
    return is_moment and table.only_grows and table.size >= _LARGE and table.correlations.get(plain, 0.0) >= _IN_ORDER


def _included(text: str, keys: Sequence[str], table: TableColumns) -> tuple[str, ...]:
    """Name the few narrow columns that a statement wants beside the keys, so that it need not visit the table."""
    asked = re.match(r"\s*SELECT\s+(?P<columns>.+?)\s+FROM\s", text, re.IGNORECASE | re.DOTALL)
    if asked is None or "*" in asked["columns"]:
        return ()
    words = {_plain(word) for word in re.findall(_NAME, text)}
    wanted = [name for name in table.types if name in words and quoted(name) not in {_bare_key(key) for key in keys}]
    is_small = 0 < len(wanted) <= _MOST_INCLUDED and all(_is_narrow(table.types[name]) for name in wanted)
    return tuple(quoted(name) for name in wanted) if is_small else ()


def _bare_key(key: str) -> str:
    return key.removesuffix(" DESC")


def _is_narrow(kind: str) -> bool:
    length = re.search(r"\((\d+)", kind)
    is_short = not kind.startswith("character") or (length is not None and int(length.group(1)) <= _LONG_TEXT)
    return is_short and not kind.startswith(_WIDE) and not kind.endswith("[]")


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


def _wish(statement: Statement, node: Mapping[str, Json], above: Sequence[str], table: TableColumns) -> Wish:
    condition = " ".join(
        (*_texts(node.get("Filter")), *_texts(node.get("Index Cond")), *_texts(node.get("Recheck Cond")))
    )
    equal, ranged, inverted = _compared(condition, table)
    folded = [(how, name) for how, name in _LOWERED.findall(condition) if _plain(name) in table.types]
    found = (_SORTED.match(key[5:]) for key in above if key.startswith("sort "))
    sorts = [quoted(m.group(1)) + (m.group(2) or "") for m in found if m and _plain(m.group(1)) in table.types]
    pairs = (pair for key in above if key.startswith("join ") for pair in _JOINED.findall(key))
    return Wish(
        equal=[*equal, *(f"{how}({quoted(name)})" for how, name in folded)],
        ranged=ranged,
        inverted=inverted,
        sorted_by=sorts or _ordered(statement.text, table),
        joined=[quoted(side) for pair in pairs for side in pair if _plain(side) in table.types],
        where=_partial(condition, table),
    )


def _key_lists(wish: Wish) -> list[tuple[str, ...]]:
    """Combine: what is equal first, then one range or the order; each alone too, and never more than three keys."""
    first = tuple(dict.fromkeys(wish.equal))[:_MOST_KEYS]
    found = [
        *((*first, one) for one in wish.ranged[:2]),
        (*first, *wish.sorted_by[:2]) if wish.sorted_by else (),
        first,
        *((one,) for one in first),
        *((one,) for one in wish.ranged[:2]),
        *((one,) for one in dict.fromkeys(wish.joined)),
    ]
    return list(dict.fromkeys(tuple(dict.fromkeys(keys))[:_MOST_KEYS] for keys in found if keys))


def _compared(condition: str, table: TableColumns) -> tuple[list[str], list[str], list[tuple[str, str]]]:
    equal: list[str] = []
    ranged: list[str] = []
    inverted: list[tuple[str, str]] = []
    for name, operator, _ in _COMPARED.findall(condition):
        kind = table.types.get(_plain(name), "")
        operators = _inverted_by(kind, operator)
        if operators is not None:
            inverted.append((quoted(name), operators))
        elif operator == "=" and kind and not kind.startswith("json") and not kind.endswith("[]"):
            equal.append(quoted(name))
        elif operator in {"<", ">", "<=", ">="} and kind:
            ranged.append(quoted(name))
    return list(dict.fromkeys(equal)), list(dict.fromkeys(ranged)), list(dict.fromkeys(inverted))


def _inverted_by(kind: str, operator: str) -> str | None:
    """Name the operator class of an inverted index that this operator can use; None when there is none."""
    if kind == "jsonb" and operator == "@>":
        # Half as large as the default, and all that containment needs.
        return " jsonb_path_ops"
    is_key_of_json = kind == "jsonb" and operator in {"?", "?|", "?&"}
    is_array = kind.endswith("[]") and operator in {"@>", "<@", "&&"}
    return "" if is_key_of_json or is_array else None


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
        why=f"a statement that ran {counted_times(statement.calls)} reads rows only to throw them away",
        helps=(statement,),
    )


def counted_times(calls: int) -> str:
    """Say how often something ran."""
    return "once" if calls == 1 else f"{calls:,} times"


def name_for(table: str, shape: str) -> str:
    """Name an index by its table and columns; the end tells apart what differs otherwise."""
    told = re.sub(r"USING btree|USING|jsonb_path_ops|DESC|WHERE|INCLUDE|WITH \(.*", " ", shape)
    words = "_".join(re.findall(r"\w+", told))
    mark = hashlib.sha256(shape.encode()).hexdigest()[:6]
    return f"{table}_{words}"[: _LONGEST_NAME - len(mark) - 1].rstrip("_") + f"_{mark}"


def _plain(name: str) -> str:
    return name.strip('"')


def quoted(name: str) -> str:
    """Write a column as the server does: in quotes only where it must be."""
    plain = _plain(name)
    return plain if re.fullmatch(r"[a-z_][a-z0-9_]*", plain) else column(plain).as_string(None)
