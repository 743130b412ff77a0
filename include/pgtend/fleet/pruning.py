"""Takes broken places out of a fleet file, so that what is sound can still be checked and used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import cast

from pydantic import ValidationError

from pgtend.fleet.findings import Finding, Path
from pgtend.fleet.model import Database, Fleet, first_vault

_ROUNDS = 10
_STAND_INS: Mapping[str, object] = {"fleet": "unnamed", "databases": {}}


def largest_valid_part(values: dict[str, object], findings: Iterable[Finding]) -> Fleet | None:
    """Leave out single broken settings, to check how the others fit together. Never used for anything else."""
    part = values
    for finding in findings:
        part = _without(part, finding.path)
    for _round in range(_ROUNDS):
        try:
            return Fleet.model_validate(part)
        except ValidationError as error:
            for problem in error.errors(include_url=False, include_input=False):
                part = _without_cause(part, problem["loc"], is_missing=problem["type"] == "missing")
    return None


def usable_fleet(values: object, findings: list[Finding]) -> Fleet | None:
    """Leave out every database that something is wrong with; rules of the whole fleet must be sound."""
    units = {_unit(place) for finding in findings for place in finding.touches}
    if not isinstance(values, dict) or () in units:
        return None
    part = _with_vaults_named(cast("dict[str, object]", values))
    for unit in units:
        part = _without(part, unit)
    try:
        fleet = Fleet.model_validate(part)
    except ValidationError:
        return None
    return fleet.model_copy(update={"databases": _with_a_vault(fleet)})


def vault_names(values: Mapping[str, object]) -> list[str]:
    """List the vaults that a file names, sound or not."""
    vaults = values.get("vaults")
    return list(cast("dict[str, object]", vaults)) if isinstance(vaults, dict) else ["main"]


def without_names(values: dict[str, object], findings: list[Finding]) -> dict[str, object]:
    """Take out names that people wrote inside a database: it would be a second name beside its key."""
    databases = values.get("databases")
    for key, block in cast("dict[str, object]", databases).items() if isinstance(databases, dict) else ():
        if isinstance(block, dict) and "name" in block:
            path = ("databases", key, "name")
            findings.append(Finding(path, "unknown setting 'name'", f"the name of this database is its key: '{key}'"))
            values = _without(values, path)
    return values


def _unit(place: Path) -> Path:
    """Tell the smallest part of a fleet that can be left out because of a broken place; () is all of it."""
    match place:
        case ("databases" | "vaults", _, *_):
            return place[:2]
        case ("alerts", "channels", _, *_):
            return place[:3]
        case ("alerts", _, *_):
            return place[:2]
        case _:
            return ()


def _with_vaults_named(values: dict[str, object]) -> dict[str, object]:
    """Write down the vault of each database: leaving out a broken vault must not move anybody to another one."""
    databases = values.get("databases")
    if not isinstance(databases, dict):
        return values
    vault = first_vault(vault_names(values))
    named = cast("dict[str, object]", databases).items()
    return {**values, "databases": {name: _with_vault(block, vault) for name, block in named}}


def _with_vault(block: object, vault: str) -> object:
    return {"vault": vault, **cast("dict[str, object]", block)} if isinstance(block, dict) else block


def _with_a_vault(fleet: Fleet) -> dict[str, Database]:
    return {name: database for name, database in fleet.databases.items() if database.vault in fleet.vaults}


def _without(values: dict[str, object], path: Path) -> dict[str, object]:
    """Copy a block without one place; a place that is not there changes nothing, and one in a list takes the list."""
    if not path or path[0] not in values:
        return values
    name = str(path[0])
    inside = values[name]
    if len(path) > 1 and isinstance(inside, dict):
        return {**values, name: _without(cast("dict[str, object]", inside), path[1:])}
    return {other: value for other, value in values.items() if other != name}


def _without_cause(values: dict[str, object], path: Path, *, is_missing: bool) -> dict[str, object]:
    if is_missing and len(path) == 1:
        return {**values, str(path[0]): _STAND_INS[str(path[0])]}
    cause = path[:-1] if is_missing or path[-1:] == ("[key]",) else path
    return _without(values, cause)
