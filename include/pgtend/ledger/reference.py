"""The reference page of the ledger, made from the comments in the database, so that the two cannot disagree."""

from __future__ import annotations

from dataclasses import dataclass

from pgtend.postgres.session import Session
from pgtend.sqlfiles import query

_FUNCTION = -1
_INTRODUCTION = """\
# The ledger

<!-- Generated from the comments in the database. Change them by a migration, then write this page anew. -->

The schema `reporting` holds what pgtend did, when, and with which evidence. The views below are its stable interface,
for SQL and for dashboards; the tables behind them may change with any version.

| role | may |
|---|---|
| `pgtend_reader` | read every view, and nothing else |
| `pgtend_writer` | read every view, call the functions below, add evidence; never change what is written |

`pgtend ledger migrate` creates both roles without login. Let people and jobs in with
`GRANT pgtend_reader TO ...` and `GRANT pgtend_writer TO ...`."""


@dataclass(frozen=True, slots=True)
class Documented:
    """A view, a column of a view or a function, with its comment."""

    name: str
    part: str
    kind: str
    comment: str
    place: int


READ_INTERFACE = query(__package__ or "", "read_interface", Documented)


def reference_page(session: Session) -> str:
    """Write docs/reference/ledger.md from a migrated ledger."""
    found = session.rows(READ_INTERFACE)
    views = [item for item in found if item.place == 0]
    columns = [item for item in found if item.place > 0]
    functions = [item for item in found if item.place == _FUNCTION]
    parts = [_INTRODUCTION, "\n## Views\n", *(_view(view, columns) for view in views)]
    parts += ["\n## Functions\n", *(_function(function) for function in functions)]
    return "\n".join(parts)


def _view(view: Documented, columns: list[Documented]) -> str:
    rows = [f"| `{it.part}` | {it.kind} | {it.comment} |" for it in columns if it.name == view.name]
    table = "\n".join(["| column | type | meaning |", "|---|---|---|", *rows])
    return f"### `reporting.{view.name}`\n\n{view.comment}\n\n{table}\n"


def _function(function: Documented) -> str:
    return f"### `reporting.{function.name}`\n\n`({function.part})` returns `{function.kind}`\n\n{function.comment}\n"
