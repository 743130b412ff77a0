"""Reference pages made from the code itself: every command, and every error with what it means."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import typer
from typer.cli import get_docs_for_click

from pgtend.kernel.errors import BrokenEvidence, Misconfigured, Outage, PgtendError, Refusal

_FAMILIES = (Outage, Refusal, Misconfigured, BrokenEvidence)
_CLI_HEAD = """\
# The command line

Made from the code by `pgtend.cli.reference`; do not edit. The exit status of a command is 0 when all went well, 2 when
it was called wrongly, and otherwise that of the [family of the error](errors.md). `--json` prints JSON to standard
output and nothing else; progress and errors go to standard error. `NO_COLOR=1` takes the colours away.

"""
_ERRORS_HEAD = """\
# Errors

Made from the code by `pgtend.cli.reference`; do not edit. Every error has a stable code, and belongs to one of four
families that decide what happens next.
"""


def cli_page() -> str:
    """Write the page about every command and its options."""
    from pgtend.cli.main import app

    command = typer.main.get_command(app)
    page = get_docs_for_click(obj=command, ctx=typer.Context(command), name="pgtend")
    body = page.partition("\n")[2].lstrip("\n")
    return f"{_CLI_HEAD}{body.rstrip()}\n"


def errors_page() -> str:
    """Write the page about every error."""
    errors = known_errors()
    return "\n".join([_ERRORS_HEAD, *(line for family in _FAMILIES for line in _family(family, errors)), ""])


def known_errors() -> list[type[PgtendError]]:
    """List every error that has a code of its own, in the order of the codes."""
    root = files("pgtend")
    for module in pkgutil.walk_packages([str(root)], prefix="pgtend."):
        importlib.import_module(module.name)
    ours = (kind for kind in _subclasses(PgtendError) if kind.__module__.startswith("pgtend."))
    return sorted((kind for kind in ours if "code" in vars(kind)), key=lambda kind: kind.code)


def _family(family: type[PgtendError], errors: list[type[PgtendError]]) -> Iterator[str]:
    yield from (f"## {family.__name__}", "", f"{family.__doc__} Exit status {family.exit_status}.", "")
    yield from ("| code | what it means |", "|---|---|")
    for kind in errors:
        if issubclass(kind, family):
            yield f"| `{kind.code}` | {first_sentence(kind)} |"
    yield ""


def first_sentence(kind: type[PgtendError]) -> str:
    """Take what an error means from its docstring."""
    return (vars(kind).get("__doc__") or "").split("\n\n", 1)[0].replace("\n", " ").strip()


def _subclasses(kind: type[PgtendError]) -> Iterator[type[PgtendError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _subclasses(child)


def write_pages(folder: Path) -> None:
    """Write both pages into a folder."""
    (folder / "cli.md").write_text(cli_page(), encoding="utf-8")
    (folder / "errors.md").write_text(errors_page(), encoding="utf-8")


if __name__ == "__main__":
    write_pages(Path("docs/reference"))
