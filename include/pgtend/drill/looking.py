"""The checks of a drill that need the restored copy, each as one small question with a counted answer."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from pgtend.backup.fingerprints import reader
from pgtend.backup.manifest import Manifest
from pgtend.backup.record import HASHED, Coverage, Extension, Role
from pgtend.drill.failures import FailureClass
from pgtend.drill.filling import READ_KEYS, Archives, Rebuilt, listed
from pgtend.drill.model import Check, CheckName, CheckOutcome
from pgtend.drill.provision import APPLICATION, LIMITS, Copy
from pgtend.drill.toc import KEYS, names_of
from pgtend.fleet.model import DrillRules
from pgtend.kernel.digests import canonical_json, sha256_hex
from pgtend.kernel.names import counted
from pgtend.postgres.address import Address
from pgtend.postgres.command import Command, client
from pgtend.postgres.encodings import decoded
from pgtend.postgres.errors import RowsBroken
from pgtend.postgres.identifiers import column, relation
from pgtend.postgres.process import ToolFailed, run
from pgtend.postgres.session import Session, open_session
from pgtend.postgres.throwaway import ThrowawayServer
from pgtend.restore.archive import Backup, Restorer
from pgtend.restore.compare import compare_inventory, compare_rows, compare_sequences
from pgtend.restore.model import Aspect, Difference, Owners
from pgtend.sqlfiles import command, query

_ROOM = __package__ or ""
_NAMED = 20
_LONGEST = timedelta(hours=6)
# What says nothing about the schema: comments, settings, and what belongs to rows, as large objects do.
_NOISE = re.compile(
    r"--|SET |SELECT pg_catalog\.(?:set_config|lo_create)|\\(?:un)?restrict |REFRESH MATERIALIZED VIEW "
    r"|.* LARGE OBJECT |\s*$"
)
_KINDS_OF_KEYS = {"objects of kind index", "objects of kind constraint"}
_RETYPED = re.compile(r"::character varying|::text\[\]|::text|[()]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Locale:
    """How a database reads and sorts."""

    encoding: str
    collation: str
    ctype: str
    collation_version: str


@dataclass(frozen=True, slots=True)
class Available:
    """An extension, and the versions of it that can be installed."""

    name: str
    versions: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unvalidated:
    """A constraint that was never checked against the rows before it."""

    schema: str
    table_name: str
    name: str


@dataclass(frozen=True, slots=True)
class Membership:
    """Who is a member of what."""

    role: str
    member: str


READ_LOCALE = query(_ROOM, "read_locale", Locale)
READ_VERSIONS = query(_ROOM, "read_versions", Available)
READ_UNVALIDATED = query(_ROOM, "read_unvalidated", Unvalidated)
READ_MEMBERSHIPS = query(_ROOM, "read_memberships", Membership)
CREATE_AMCHECK = command(_ROOM, "create_amcheck")
DROP_AMCHECK = command(_ROOM, "drop_amcheck")
VALIDATE_CONSTRAINT = command(_ROOM, "validate_constraint")


class _Undone(Exception):
    """Ends a transaction whose only purpose was to see whether it would work."""


def passed(name: CheckName, *, expected: str = "", found: str = "", detail: str = "") -> Check:
    """Write down that something is as it must be."""
    return Check(name=name, outcome=CheckOutcome.PASSED, expected=expected, found=found, detail=detail)


def failed(name: CheckName, *, expected: str = "", found: str = "", detail: str = "") -> Check:
    """Write down that something is not as it must be."""
    return Check(name=name, outcome=CheckOutcome.FAILED, expected=expected, found=found, detail=detail)


def skipped(name: CheckName, why: str) -> Check:
    """Write down that something could not be looked at."""
    return Check(name=name, outcome=CheckOutcome.SKIPPED, detail=why)


def check_extensions(server: ThrowawayServer, manifest: Manifest, rules: DrillRules) -> Check:
    """Tell before the restore whether everything can be installed, and may be."""
    with server.session() as session:
        known = {one.name: one.versions for one in session.rows(READ_VERSIONS)}
    problems = [_missing_extension(one, known, rules) for one in manifest.extensions]
    wrong = [problem for problem in problems if problem]
    counts = {"expected": f"{len(manifest.extensions)}", "found": f"{len(manifest.extensions) - len(wrong)}"}
    if wrong:
        return failed(CheckName.EXTENSIONS, detail="; ".join(wrong), **counts)
    return passed(CheckName.EXTENSIONS, **counts)


def _missing_extension(one: Extension, known: Mapping[str, Sequence[str]], rules: DrillRules) -> str:
    if one.name not in rules.extensions:
        return f"{one.name} is not among drill.extensions of the fleet file"
    if one.name not in known:
        return f"{one.name} is not installed on the host of the drill"
    if one.version not in known[one.name]:
        return f"{one.name} {one.version} is not there, only {', '.join(known[one.name])}"
    return ""


def check_settings(copy: Copy, manifest: Manifest, rules: DrillRules) -> Check:
    """Compare how both servers read and sort. An unknown version of a collation is unknown on both sides."""
    source = manifest.source
    with copy.session() as session:
        here = session.row(READ_LOCALE)
    pairs = (
        ("encoding", source.encoding, here.encoding),
        ("collation", source.collation, here.collation),
        ("ctype", source.ctype, here.ctype),
        ("version of the collation", source.collation_version, here.collation_version),
    )
    different = [f"{what}: {there or 'none'} there, {now or 'none'} here" for what, there, now in pairs if there != now]
    if not different:
        return passed(CheckName.SETTINGS, expected=_say_locale(source.collation, source.encoding), found="the same")
    if rules.allow_drift:
        return skipped(CheckName.SETTINGS, f"the fleet file accepts that they differ: {'; '.join(different)}")
    return failed(CheckName.SETTINGS, expected="no difference", found=f"{len(different)}", detail="; ".join(different))


def check_rebuild(rebuilt: Rebuilt) -> Check:
    """Tell whether all indexes and keys could be built on the restored rows."""
    counts = {"expected": f"{rebuilt.wanted}", "found": f"{rebuilt.wanted - len(rebuilt.missing)}"}
    if not rebuilt.failure:
        return passed(CheckName.REBUILD, **counts)
    return failed(CheckName.REBUILD, detail=f"rows break: {_few(rebuilt.missing)}", **counts)


def check_rows(backup: Backup, place: Address, jobs: int) -> tuple[Check, ...]:
    """Count and hash the rows of every table, and look where the sequences are."""
    manifest = backup.entry.manifest
    with reader(place, LIMITS, application=APPLICATION) as session:
        compared = compare_rows(backup, session, manifest.tables, jobs)
        sequences = compare_sequences(manifest, session)
    hashed = [table for table in manifest.tables if table.coverage in HASHED]
    counted = [table for table in manifest.tables if table.coverage is not Coverage.NONE]
    content = _of(compared.differences, Aspect.CONTENT)
    return (
        _compared(
            CheckName.ROWS, sum(table.rows for table in counted), compared.rows, compared.differences, Aspect.ROWS
        ),
        _content(len(hashed), len(counted), content, compared.left_out),
        _listed(CheckName.SEQUENCES, len(manifest.sequences), sequences),
    )


def _compared(name: CheckName, expected: int, found: int, differences: Sequence[Difference], aspect: Aspect) -> Check:
    wrong = [*_of(differences, aspect), *_of(differences, Aspect.INVENTORY)]
    make = failed if wrong else passed
    return make(name, expected=f"{counted(expected, 'row')}", found=f"{counted(found, 'row')}", detail=_say(wrong))


def _content(
    hashed_tables: int, counted_tables: int, differences: Sequence[Difference], left_out: Sequence[str]
) -> Check:
    """Of tables whose rows were only counted nobody knows the content: that is said, and never passed."""
    counts = {"expected": f"{hashed_tables} fingerprints", "found": f"{hashed_tables - len(differences)} the same"}
    if differences:
        return failed(CheckName.CONTENT, detail=_say(differences), **counts)
    if hashed_tables < counted_tables:
        only = counted_tables - hashed_tables
        return skipped(
            CheckName.CONTENT, f"of {only} of {counted(counted_tables, 'table')} the backup has no fingerprint"
        )
    if left_out:
        return skipped(CheckName.CONTENT, "; ".join(left_out))
    return passed(CheckName.CONTENT, **counts)


def check_structure(
    backup: Backup,
    copy: Copy,
    archives: Archives,
    members: Iterable[tuple[str, str]],
    missing: Collection[str] = (),
) -> tuple[Check, ...]:
    """Compare everything that is no row: objects by kind, owners and rights, and the schema as SQL.

    `missing` are the indexes and constraints that production's own rows would not let us build. What lacks because of
    them alone is no fault of the backup.
    """
    manifest = backup.entry.manifest
    with reader(copy.superuser, LIMITS, application=APPLICATION) as session:
        found = compare_inventory(manifest, session, Owners.KEEP)
    objects = sum(one.count for one in manifest.inventory)
    differences = _of(found, Aspect.INVENTORY)
    inventory = _listed(CheckName.INVENTORY, objects, differences)
    is_excused = all(one.what in _KINDS_OF_KEYS and _lacking(one) in range(len(missing) + 1) for one in differences)
    return (
        _as_productions_fault(inventory) if is_excused else inventory,
        _grants(copy, manifest, _of(found, Aspect.RIGHTS), frozenset(members)),
        _schema(copy, archives, missing),
    )


def _lacking(difference: Difference) -> int:
    there, here = (int(count.replace(",", "")) for count in (difference.backup, difference.restored))
    return there - here


def _as_productions_fault(check: Check) -> Check:
    is_failure = check.outcome is CheckOutcome.FAILED
    return replace(check, as_failure=FailureClass.SOURCE_INTEGRITY) if is_failure else check


def _grants(
    copy: Copy, manifest: Manifest, differences: Sequence[Difference], members: frozenset[tuple[str, str]]
) -> Check:
    with copy.session() as session:
        here = {(one.role, one.member) for one in session.rows(READ_MEMBERSHIPS, {"roles": list(copy.roles)})}
    lost = [f"{member} is no member of {role}" for role, member in sorted(members - here)]
    rights = sum(one.count for one in manifest.inventory if one.kind in {"grant", "owner", "policy"})
    details = "; ".join(filter(None, (_say(differences), _few(lost))))
    make = failed if details else passed
    counts = f"{rights} rights, {len(members)} memberships"
    return make(CheckName.GRANTS, expected=counts, found="the same" if not details else "others", detail=details)


def _schema(copy: Copy, archives: Archives, missing: Collection[str]) -> Check:
    """Let one program write both schemas as SQL, the backup's and the copy's, and compare what they say."""
    original, restored = schema_of_backup(copy, archives), schema_of_copy(copy, archives)
    expected, found = (sha256_hex(canonical_json(sorted(lines.elements()))) for lines in (original, restored))
    if expected == found:
        return passed(CheckName.SCHEMA, expected=expected, found=found)
    lost, new = original - restored, restored - original
    lines = lost.total() + new.total()
    check = failed(
        CheckName.SCHEMA, expected=expected, found=found, detail=f"{counted(lines, 'line')} of SQL in one of them only"
    )
    is_excused = bool(missing) and not new and lost <= schema_of_keys(copy, archives, missing)
    return _as_productions_fault(check) if is_excused else check


def schema_of_backup(copy: Copy, archives: Archives) -> Counter[str]:
    """Write out what both archives of a backup would do."""
    plain = Restorer(copy.tools, copy.superuser, Owners.KEEP, without_tablespaces=True)
    return _meaning(plain.script(archives.before), plain.script(archives.after))


def schema_of_keys(copy: Copy, archives: Archives, names: Collection[str]) -> Counter[str]:
    """Write out what would make some indexes and constraints."""
    with listed(entry for entry in archives.last if not names_of([entry], *KEYS).isdisjoint(names)) as chosen:
        plain = Restorer(copy.tools, copy.superuser, Owners.KEEP, without_tablespaces=True)
        return _meaning(plain.script(archives.after, f"--use-list={chosen.path}"))


def schema_of_copy(copy: Copy, archives: Archives) -> Counter[str]:
    """Write out the schema of a database."""
    dump = client(copy.tools, "pg_dump", copy.superuser, "--schema-only", "--no-password", "--no-tablespaces")
    return _meaning(decoded(run(dump, within=_LONGEST), archives.before.encoding))


def _meaning(*scripts: str) -> Counter[str]:
    """Keep the lines that mean something, as PostgreSQL means them however it puts casts and brackets."""
    lines = (line for script in scripts for line in script.splitlines() if not _NOISE.match(line))
    return Counter(_RETYPED.sub("", line) if "::character varying" in line else line for line in lines)


def check_constraints(copy: Copy) -> Check:
    """Let the rows answer for rules that production never checked; nothing of it stays."""
    with open_session(copy.restorer, LIMITS, application=APPLICATION) as session:
        open_ones = session.rows(READ_UNVALIDATED)
        broken = [f"{one.schema}.{one.table_name} {one.name}" for one in open_ones if not _holds(session, one)]
    counts = {"expected": f"{len(open_ones)} unchecked ones hold", "found": f"{len(open_ones) - len(broken)} hold"}
    if broken:
        return failed(CheckName.CONSTRAINTS, detail=f"rows break: {_few(broken)}", **counts)
    return passed(CheckName.CONSTRAINTS, **counts)


def _holds(session: Session, one: Unvalidated) -> bool:
    try:
        with session.transaction():
            session.run(VALIDATE_CONSTRAINT, table=relation(one.schema, one.table_name), constraint=column(one.name))
            raise _Undone  # noqa: TRY301 - the one way out of a transaction that leaves nothing
    except _Undone:
        return True
    except RowsBroken:
        return False


def check_indexes(copy: Copy) -> Check:
    """Look for indexes that are there and not used, because PostgreSQL marked them as not valid."""
    with copy.session() as session:
        keys = session.row(READ_KEYS)
    counts = {"expected": f"{len(keys.indexes)} valid", "found": f"{len(keys.indexes) - len(keys.invalid)} valid"}
    make = failed if keys.invalid else passed
    return make(CheckName.INDEXES, detail=_few(keys.invalid), **counts)


def check_pages(copy: Copy, jobs: int) -> Check:
    """Walk through every B-tree: an index whose order contradicts its rows misleads in production too.

    Tables are left out: their pages are the copy's own, and every row on them was just read and compared.
    """
    with copy.session() as session:
        if all(one.name != "amcheck" for one in session.rows(READ_VERSIONS)):
            return skipped(CheckName.PAGES, "amcheck is not installed on the host of the drill")
        had_it = "amcheck" in session.facts.extensions
        if not had_it:
            session.run(CREATE_AMCHECK)
        try:
            run(_amcheck(copy, jobs), within=_LONGEST)
        except ToolFailed as found:
            return failed(CheckName.PAGES, expected="no complaint", found="a complaint", detail=found.detail)
        finally:
            if not had_it:
                session.run(DROP_AMCHECK)
    return passed(CheckName.PAGES, expected="no complaint", found="none")


def _amcheck(copy: Copy, jobs: int) -> Command:
    """Call pg_amcheck, which takes no connection string."""
    address = copy.superuser
    where = ("--host", address.params["host"], "--port", address.params["port"], "--username", address.user)
    argv = (copy.tools.path("pg_amcheck"), "--no-password", "--index=*", f"--jobs={jobs}", *where, address.database)
    return Command(argv=argv, secrets={"PGPASSFILE": address.passfile})


def not_compared(manifest: Manifest) -> tuple[str, ...]:
    """Say what a logical backup cannot show, and what was only sampled."""
    said = ["Pages of production's files: a logical backup holds rows, and the copy has files of its own."]
    for coverage in (Coverage.SAMPLE, Coverage.ROWS, Coverage.NONE):
        names = [str(table) for table in manifest.tables if table.coverage is coverage]
        if names:
            said.append(f"Compared by {coverage.value}: {_few(names)}.")
    if not manifest.parts_of(Role.FINGERPRINTS):
        said.append("Content: the backup has no fingerprints.")
    return tuple(said)


def _listed(name: CheckName, expected: int, differences: Sequence[Difference]) -> Check:
    make = failed if differences else passed
    found = f"{len(differences)} differ" if differences else "the same"
    return make(name, expected=f"{expected:,}", found=found, detail=_say(differences))


def _of(differences: Iterable[Difference], aspect: Aspect) -> list[Difference]:
    return [one for one in differences if one.aspect is aspect]


def _say(differences: Sequence[Difference]) -> str:
    return _few([str(one) for one in differences], "; ")


def _few(names: Sequence[str], between: str = ", ") -> str:
    more = f"{between}and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return between.join(names[:_NAMED]) + more


def _say_locale(collation: str, encoding: str) -> str:
    return f"{encoding}, {collation}"
