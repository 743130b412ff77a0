"""The rules of the house that a machine can check."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = ("include", "dags", "plugins", "demo", "tests")
VAGUE = {"utils", "helpers", "common", "misc", "manager", "handler", "base", "core"}
FILES = sorted(path for top in OURS for path in (ROOT / top).rglob("*.py"))
ONLY_HERE = {"psycopg": "include/pgtend/postgres", "botocore": "include/pgtend/vault"}


@functools.lru_cache(maxsize=4)
def nodes(source: str) -> tuple[ast.AST, ...]:
    """Parse a file, once for all rules that look at it one after the other."""
    return tuple(ast.walk(ast.parse(source)))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Walk every function of a file, nested ones too."""
    found = nodes(path.read_text(encoding="utf-8"))
    return (node for node in found if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def too_long(path: Path, limit: int = 60) -> list[str]:
    """Name the functions of a file that nobody can hold in the head."""
    return [f"{path}:{f.lineno} {f.name}" for f in functions(path) if (f.end_lineno or 0) - f.lineno >= limit]


def swallowing(source: str) -> list[int]:
    """Find the lines where an error disappears."""
    handlers = [node for node in nodes(source) if isinstance(node, ast.ExceptHandler)]
    return [h.lineno for h in handlers if h.type is None or all(isinstance(s, ast.Pass) for s in h.body)]


def imports(source: str) -> set[str]:
    """Name the top-level packages that a file imports."""
    found: set[str] = set()
    for node in nodes(source):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def test_every_file_fits_in_the_head() -> None:
    """No file over 400 lines, no function over 60, no error swallowed."""
    texts = {path: path.read_text(encoding="utf-8") for path in FILES}
    assert [str(path) for path, text in texts.items() if text.count("\n") > 400] == [], "split by what parts promise"
    assert [name for path in FILES for name in too_long(path)] == []
    assert [f"{path}:{line}" for path, text in texts.items() for line in swallowing(text)] == []


def test_the_checks_of_this_page_can_fail() -> None:
    """A check that cannot fail is worse than none."""
    assert swallowing("try:\n    x()\nexcept:\n    y()\n") == [3]
    assert swallowing("try:\n    x()\nexcept ValueError:\n    pass\n") == [3]
    assert swallowing("try:\n    x()\nexcept ValueError:\n    y()\n") == []
    assert imports("import psycopg.errors\nfrom boto3 import x\n") == {"psycopg", "boto3"}
    assert too_long(Path(__file__), limit=2) != []


def test_names_say_what_is_inside() -> None:
    """A module called utils is a module nobody can find anything in."""
    assert [str(path) for path in FILES if {path.stem, *path.relative_to(ROOT).parts[:-1]} & VAGUE] == []


def test_every_test_says_what_it_promises() -> None:
    """A test's docstring is the promise; its name is a sentence of behaviour."""
    pages = [path for path in FILES if path.name.startswith("test_")]
    tests = [(path, f) for path in pages for f in functions(path) if f.name.startswith("test_")]
    assert [f"{path}: {f.name}" for path, f in tests if not ast.get_docstring(f)] == []
    assert [f"{path}: {f.name}" for path, f in tests if f.name.count("_") < 3] == []


@pytest.mark.parametrize("package", sorted(ONLY_HERE))
def test_a_driver_is_imported_in_one_room_only(package: str) -> None:
    """Errors of the outside world are wrapped once, where it is touched."""
    users = [p.relative_to(ROOT).as_posix() for p in FILES if package in imports(p.read_text(encoding="utf-8"))]
    library = [user for user in users if user.startswith(("include/", "dags/", "plugins/"))]
    assert [user for user in library if not user.startswith(ONLY_HERE[package])] == []


def test_a_pipeline_file_arranges_and_does_nothing_else() -> None:
    """At most 80 lines, a docstring that is its page in the UI, no database and no object store."""
    for path in (ROOT / "dags").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert text.count("\n") <= 80, path
        assert (ast.get_docstring(ast.parse(text)) or "").startswith("# "), path
        assert not imports(text) & {"psycopg", "boto3", "sqlalchemy"}, path


def test_every_room_says_in_one_sentence_what_it_promises() -> None:
    """The first line of a room is its promise."""
    for init in sorted((ROOT / "include" / "pgtend").glob("*/__init__.py")):
        assert ast.get_docstring(ast.parse(init.read_text(encoding="utf-8"))), init
