"""The catalogue of backups in the ledger: what the vaults hold, and nothing that they do not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from psycopg.rows import tuple_row

from bed.clusters import LiveDatabase
from bed.stored_backups import SEALED, day, folder_vault, put_backup
from pgtend.backup.expiry import Holding
from pgtend.backup.judging import verify_and_mark
from pgtend.backup.listing import Place, record_new
from pgtend.backup.places import opened_places
from pgtend.backup.tidying import CATALOGUE, list_vaults, tidy_vaults
from pgtend.fleet.model import Fleet
from pgtend.fleet.retention import RetentionRules
from pgtend.ledger.database import DatabaseLedger
from pgtend.ledger.errors import LedgerRefused
from pgtend.ledger.model import Subject
from pgtend.postgres.session import Session

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SUBJECT = Subject("kgc", CATALOGUE, "test")
TWO_DAYS = RetentionRules(daily=2, weekly=0, monthly=0, yearly=0, at_least=1, proven=1)
BACKUPS = (
    "SELECT to_char(taken_at, 'DD'), state, rows, stored_bytes, vault, copies, keep, keep_until::text, keep_reason,"
    " faults FROM reporting.backups ORDER BY backup_id"
)


def told(session: Session, text: str = BACKUPS) -> list[tuple[object, ...]]:
    """Ask the ledger as a dashboard does."""
    with session.connection.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(text).fetchall()  # type: ignore[arg-type]


@pytest.fixture
def places(tmp_path: Path) -> tuple[Place, Place]:
    """Give a vault with backups of three days, and a second one with a copy of the last."""
    first, second = folder_vault(tmp_path / "main"), folder_vault(tmp_path / "far")
    for number in (18, 19, 20):
        put_backup(first, day(number), state="STORED" if number == 18 else "VERIFIED")
    put_backup(second, day(20))
    holding = Holding(vault=first, fleet="clinic", database="kgc", rules=TWO_DAYS)
    return (
        Place(name="main", is_copy=False, holding=holding),
        Place(name="far", is_copy=True, holding=replace(holding, vault=second)),
    )


def look(places: tuple[Place, ...], ledger: DatabaseLedger) -> None:
    """Write down what is there."""
    list_vaults(places, ledger, SUBJECT, str, clock=lambda: NOW)


def test_an_empty_ledger_knows_everything_after_one_look(
    places: tuple[Place, Place], ledger: DatabaseLedger, session: Session
) -> None:
    """State, rows, size, copies, how long each stays and why: from the vaults alone."""
    look(places, ledger)
    assert told(session) == [
        ("18", "STORED", 100, 26, "main", [], False, None, "no rule keeps it", ""),
        ("19", "VERIFIED", 100, 26, "main", [], True, "2026-11-22", "first of its day, 2 days are kept", ""),
        (
            "20",
            "VERIFIED",
            100,
            26,
            "main",
            ["far"],
            True,
            "2026-11-23",
            "one of the newest 1; one of the last 1 VERIFIED; first of its day, 2 days are kept",
            "",
        ),
    ]
    assert told(session, "SELECT vault, is_copy, backups, unfinished, doubts FROM reporting.vault_listings") == [
        ("far", True, 1, 0, ""),
        ("main", False, 3, 0, ""),
    ]


def test_what_is_gone_from_the_vault_is_gone_from_the_catalogue(
    places: tuple[Place, Place], ledger: DatabaseLedger, session: Session
) -> None:
    """Retention lets the first day go, says so in the audit before, and the catalogue no longer has it."""
    look(places, ledger)
    tidy_vaults(places, ledger, SUBJECT, str, clock=lambda: NOW)
    assert [row[0] for row in told(session)] == ["19", "20"]
    actions = [(entry.action, entry.target) for entry in ledger.entries() if entry.action.startswith("backup")]
    assert actions == [("backup.removing", "kgc/catalogue")]


def test_a_backup_that_only_a_copy_has_left_is_still_there(
    places: tuple[Place, Place], ledger: DatabaseLedger, session: Session
) -> None:
    """When the first vault is lost, the catalogue shows where the last one is."""
    look(places, ledger)
    for stored in places[0].holding.vault.objects("backups/"):
        places[0].holding.vault.delete(stored.key)
    look(places, ledger)
    assert [(row[0], row[4], row[5]) for row in told(session)] == [("20", "far", ["far"])]


def test_damage_that_was_found_stays_found_until_it_is_mended(
    places: tuple[Place, Place], ledger: DatabaseLedger, session: Session, tmp_path: Path
) -> None:
    """Bytes of the right number and the wrong content: only who reads them all knows, and then everybody does."""
    vault = places[0].holding.vault
    made = put_backup(vault, day(21), contents=SEALED)
    entry = places[0].holding.catalogue(NOW).entries[0]
    path = tmp_path / "main" / f"{made.folder}rest.dump.zst.age"
    sound = path.read_bytes()
    path.write_bytes(sound[:-1] + b"z")
    verify_and_mark(vault, entry, None, "test", str, clock=lambda: NOW)
    look(places, ledger)
    assert told(session)[-1][1::8] == ("DAMAGED", "rest.dump.zst.age was found damaged")
    doubts = told(session, "SELECT doubts FROM reporting.vault_listings WHERE NOT is_copy")
    assert "is damaged, rest.dump.zst.age was found damaged" in str(doubts[0][0])
    path.write_bytes(sound)
    entry = places[0].holding.catalogue(NOW).entries[0]
    verify_and_mark(vault, entry, None, "test", str, clock=lambda: NOW + timedelta(minutes=1))
    look(places, ledger)
    assert told(session)[-1][1] == "VERIFIED"


def test_reading_a_stored_backup_back_makes_it_verified(places: tuple[Place, Place]) -> None:
    """The mark lies in the vault, so every later look knows it; looking again at once leaves no second one."""
    holding = places[0].holding
    put_backup(holding.vault, day(21), contents=SEALED, state="STORED")
    for _ in range(2):
        entry = holding.catalogue(NOW).entries[0]
        verify_and_mark(holding.vault, entry, None, "test", str, clock=lambda: NOW)
    entry = holding.catalogue(NOW).entries[0]
    assert (entry.state.value, entry.checked_at) == ("VERIFIED", NOW)
    assert sum("marks/verified" in key for key in entry.keys) == 1


def test_a_new_backup_shows_before_anybody_looked_again(
    places: tuple[Place, Place], ledger: DatabaseLedger, session: Session
) -> None:
    """Who takes one writes it down at once."""
    look(places, ledger)
    made = put_backup(places[0].holding.vault, day(21))
    with ledger.run(replace(SUBJECT, pipeline="backup")) as run:
        record_new(run, "main", made)
    assert told(session)[-1][:5] == ("21", "VERIFIED", 100, 26, "main")
    look(places, ledger)
    assert [row[0] for row in told(session)] == ["18", "19", "20", "21"]


def test_nothing_is_removed_that_could_not_be_written_down(
    places: tuple[Place, Place], ledger: DatabaseLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An audit that refuses keeps the backup."""

    def refuse(**_: object) -> None:
        raise LedgerRefused("no")

    monkeypatch.setattr(ledger, "audit", refuse)
    with pytest.raises(LedgerRefused):
        tidy_vaults(places, ledger, SUBJECT, str, clock=lambda: NOW)
    assert len(places[0].holding.catalogue(NOW).entries) == 3


def test_the_fleet_file_says_which_places_there_are(reporting: LiveDatabase, tmp_path: Path) -> None:
    """The database's own vault first, then its copies, each with its own rules; or only those that are named."""
    assert reporting
    fleet = Fleet.model_validate(
        {
            "fleet": "clinic",
            "vaults": {name: {"folder": {"path": str(tmp_path / name)}} for name in ("main", "far", "other")},
            "databases": {"kgc": {"backup": {"copies": {"far": {"retention": {"daily": 3}}}}}},
        }
    )

    def opened(settings: object) -> object:
        return folder_vault(Path(settings.folder.path))  # type: ignore[attr-defined]

    with opened_places(fleet, fleet.databases["kgc"], opened) as found:  # type: ignore[arg-type]
        assert [(place.name, place.is_copy, place.holding.rules.daily) for place in found] == [
            ("main", False, 14),
            ("far", True, 3),
        ]
    with opened_places(fleet, fleet.databases["kgc"], opened, "far") as found:  # type: ignore[arg-type]
        assert [place.name for place in found] == ["far"]
