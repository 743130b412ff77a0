"""Reads the fleet file: strictly for people, leniently for Airflow, and says everything that is wrong at once."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import cast

from pydantic import ValidationError

from pgtend.fleet.checks import check_fleet
from pgtend.fleet.document import Document, read_document
from pgtend.fleet.findings import Finding, Path, is_below, say_path
from pgtend.fleet.leaks import find_secrets
from pgtend.fleet.model import Fleet
from pgtend.fleet.places import annotation_at, holds_settings
from pgtend.fleet.pruning import largest_valid_part, usable_fleet, vault_names, without_names
from pgtend.fleet.sentences import findings_from
from pgtend.kernel.errors import ManyProblems, Problem

_LARGEST_FILE = 1024 * 1024
_HINT = "Correct these lines of {path}; every setting is explained in docs/reference/settings.md."
_NO_FILE = "Name the fleet file before the verb, pgtend --fleet PATH, or in $PGTEND_FLEET."


class BadFleetFile(ManyProblems):
    """The fleet file cannot be read, or says something that cannot be meant."""

    code = "fleet.bad_file"


@dataclass(frozen=True, slots=True)
class FleetReading:
    """What is usable of a fleet file, and what is wrong with the rest."""

    fleet: Fleet | None
    problems: tuple[Problem, ...]


def fleet_path() -> FilePath:
    """Find the fleet file: $PGTEND_FLEET, else ./fleet.yaml, else ~/.config/pgtend/fleet.yaml."""
    named = os.environ.get("PGTEND_FLEET")
    if named:
        return at_home(FilePath(named))
    here = FilePath("fleet.yaml")
    return here if here.exists() else at_home(FilePath("~/.config/pgtend/fleet.yaml"))


def at_home(path: FilePath) -> FilePath:
    """Read `~` as a shell does, which leaves it alone in `--fleet=~/fleet.yaml` and behind a name that nobody has."""
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def load_fleet(path: FilePath, *, known_connections: Collection[str] | None = None) -> Fleet:
    """Read the fleet file; raise one BadFleetFile with every problem in it."""
    reading = read_fleet(path, known_connections=known_connections)
    if reading.fleet is None or reading.problems:
        raise bad_fleet_file(path, reading.problems)
    return reading.fleet


def bad_fleet_file(path: FilePath, problems: tuple[Problem, ...]) -> BadFleetFile:
    """Say everything that is wrong with a fleet file in one error."""
    amount = "a problem" if len(problems) == 1 else f"{len(problems)} problems"
    is_unread = any(problem.where == str(path) for problem in problems)
    hint = _NO_FILE if is_unread else _HINT.format(path=path)
    return BadFleetFile(f"the fleet file {path} has {amount}", problems, hint=hint)


def read_fleet(path: FilePath, *, known_connections: Collection[str] | None = None) -> FleetReading:
    """Read what is usable: broken databases are left out; broken rules of the whole fleet leave nothing."""
    text = _read_text(path)
    if isinstance(text, Problem):
        return FleetReading(None, (text,))
    document = read_document(text)
    findings = _all_findings(document, known_connections)
    problems = tuple(_problem(line, finding) for line, finding in _in_order(document, findings))
    return FleetReading(usable_fleet(document.values, findings), problems)


def _read_text(path: FilePath) -> str | Problem:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
        if len(content) > _LARGEST_FILE:
            return Problem(str(path), "the file is larger than 1 MB", "this is hardly a fleet file")
        return content.decode("utf-8-sig")
    except FileNotFoundError:
        return Problem(str(path), "there is no such file", "`pgtend init` writes one, $PGTEND_FLEET names another")
    except IsADirectoryError:
        return Problem(str(path), "this is a directory", f"name the file in it: {path / 'fleet.yaml'}")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        return Problem(f"line {line}", "this is not UTF-8 text", "save the file as UTF-8")
    except OSError as error:
        return Problem(str(path), f"the file cannot be read: {error.strerror}", "check who may read it")


def _all_findings(document: Document, known_connections: Collection[str] | None) -> list[Finding]:
    if not isinstance(document.values, dict):
        return document.findings or [Finding((), "a fleet file is a block of settings", "start with 'fleet: <name>'")]
    values = cast("dict[str, object]", document.values)
    empty: list[Finding] = []
    document.values = values = cast("dict[str, object]", _fill_empty_places(values, (), empty))
    if values.get("databases") == {}:
        empty.append(Finding(("databases",), "the fleet has no databases", "name at least one, indented below it"))
    document.values = values = without_names(values, empty)
    findings = [*document.findings, *find_secrets(values), *empty]
    _add_new(findings, _shape_findings(document))
    fleet = largest_valid_part(values, findings[len(document.findings) :])
    if fleet is not None:
        _add_new(findings, check_fleet(fleet, vault_names(values), known_connections))
    return findings


def _shape_findings(document: Document) -> list[Finding]:
    try:
        Fleet.model_validate(document.values)
    except ValidationError as error:
        return findings_from(error.errors(include_url=False), document.lines)
    return []


def _add_new(findings: list[Finding], further: Iterable[Finding]) -> None:
    """Add what does not merely follow from something that is already said."""
    broken = [finding.path for finding in findings]
    findings.extend(finding for finding in further if not _follows_from(finding, broken))


def _follows_from(finding: Finding, broken: list[Path]) -> bool:
    return finding.path in broken or any(is_below(place, given) for place in broken for given in finding.assumes)


def _fill_empty_places(values: object, path: Path, findings: list[Finding]) -> object:
    """Read 'name:' with nothing behind it as "the defaults" where settings stand, and refuse it elsewhere."""
    if values is None and holds_settings(path):
        return {}
    if values is None and annotation_at(path) is not None:
        findings.append(Finding(path, "nothing is written here", "write a value, or remove the line for the default"))
    if not isinstance(values, dict):
        return values
    block = cast("dict[str, object]", values)
    return {name: _fill_empty_places(value, (*path, name), findings) for name, value in block.items()}


def _in_order(document: Document, findings: list[Finding]) -> list[tuple[int, Finding]]:
    placed = [(finding.line or document.line_of(finding.path), finding) for finding in findings]
    return sorted(placed, key=lambda pair: pair[0])


def _problem(line: int, finding: Finding) -> Problem:
    where = f"{say_path(finding.path)} (line {line})" if finding.path else f"line {line}"
    return Problem(where, finding.what, finding.hint)
