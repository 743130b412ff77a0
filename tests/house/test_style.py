"""The rules of the house that a machine can check."""

from __future__ import annotations

import ast
import functools
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = ("include", "dags", "plugins", "demo", "tests")
VAGUE = {"utils", "helpers", "common", "misc", "manager", "handler", "base", "core"}
FILES = sorted(path for top in OURS for path in (ROOT / top).rglob("*.py"))
ONLY_HERE = {"psycopg": "include/pgtend/postgres", "botocore": "include/pgtend/vault"}


@dataclass(frozen=True, slots=True)
class Function:
    """What the rules want to know of a function."""

    name: str
    line: int
    lines: int
    says_what_it_is: bool


@dataclass(frozen=True, slots=True)
class Page:
    """What the rules want to know of a file."""

    functions: tuple[Function, ...]
    swallowing: tuple[int, ...]
    """The lines where an error disappears."""
    imports: frozenset[str]
    """The top-level packages that it imports."""


@functools.cache
def read(source: str) -> Page:
    """Look at a file, once for all rules."""
    functions: list[Function] = []
    swallowing: list[int] = []
    imports: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                lines = (node.end_lineno or 0) - node.lineno
                functions.append(Function(node.name, node.lineno, lines, bool(ast.get_docstring(node))))
            case ast.ExceptHandler() if node.type is None or all(isinstance(s, ast.Pass) for s in node.body):
                swallowing.append(node.lineno)
            case ast.Import():
                imports |= {alias.name.partition(".")[0] for alias in node.names}
            case ast.ImportFrom() if node.module:
                imports.add(node.module.partition(".")[0])
            case _:
                continue
    return Page(tuple(functions), tuple(swallowing), frozenset(imports))


def page(path: Path) -> Page:
    """Look at a file of ours."""
    return read(path.read_text(encoding="utf-8"))


def too_long(path: Path, limit: int = 60) -> list[str]:
    """Name the functions of a file that nobody can hold in the head."""
    return [f"{path}:{f.line} {f.name}" for f in page(path).functions if f.lines >= limit]


def test_every_file_fits_in_the_head() -> None:
    """No file over 400 lines, no function over 60, no error swallowed."""
    lines = {path: path.read_text(encoding="utf-8").count("\n") for path in FILES}
    assert [str(path) for path, count in lines.items() if count > 400] == [], "split by what parts promise"
    assert [name for path in FILES for name in too_long(path)] == []
    assert [f"{path}:{line}" for path in FILES for line in page(path).swallowing] == []


def test_the_checks_of_this_page_can_fail() -> None:
    """A check that cannot fail is worse than none."""
    assert read("try:\n    x()\nexcept:\n    y()\n").swallowing == (3,)
    assert read("try:\n    x()\nexcept ValueError:\n    pass\n").swallowing == (3,)
    assert read("try:\n    x()\nexcept ValueError:\n    y()\n").swallowing == ()
    assert read("import psycopg.errors\nfrom boto3 import x\n").imports == {"psycopg", "boto3"}
    assert too_long(Path(__file__), limit=2) != []


def test_names_say_what_is_inside() -> None:
    """A module called utils is a module nobody can find anything in."""
    assert [str(path) for path in FILES if {path.stem, *path.relative_to(ROOT).parts[:-1]} & VAGUE] == []


def test_every_test_says_what_it_promises() -> None:
    """A test's docstring is the promise; its name is a sentence of behaviour."""
    pages = [path for path in FILES if path.name.startswith("test_")]
    tests = [(path, f) for path in pages for f in page(path).functions if f.name.startswith("test_")]
    assert [f"{path}: {f.name}" for path, f in tests if not f.says_what_it_is] == []
    assert [f"{path}: {f.name}" for path, f in tests if f.name.count("_") < 3] == []


@pytest.mark.parametrize("package", sorted(ONLY_HERE))
def test_a_driver_is_imported_in_one_room_only(package: str) -> None:
    """Errors of the outside world are wrapped once, where it is touched."""
    users = [p.relative_to(ROOT).as_posix() for p in FILES if package in page(p).imports]
    library = [user for user in users if user.startswith(("include/", "dags/", "plugins/"))]
    assert [user for user in library if not user.startswith(ONLY_HERE[package])] == []


def test_a_pipeline_file_arranges_and_does_nothing_else() -> None:
    """At most 80 lines, a docstring that is its page in the UI, no database and no object store."""
    for path in (ROOT / "dags").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert text.count("\n") <= 80, path
        assert (ast.get_docstring(ast.parse(text)) or "").startswith("# "), path
        assert not read(text).imports & {"psycopg", "boto3", "sqlalchemy"}, path


def test_every_room_says_in_one_sentence_what_it_promises() -> None:
    """The first line of a room is its promise."""
    for init in sorted((ROOT / "include" / "pgtend").glob("*/__init__.py")):
        assert ast.get_docstring(ast.parse(init.read_text(encoding="utf-8"))), init
