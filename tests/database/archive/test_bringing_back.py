"""Months come back, holds keep them, and whoever was erased stays erased."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from bed.archiving import METRICS, Attic
from bed.backups import KEYS
from bed.shell import Shell
from pgtend.archive.erasing import ErasureReport, erase
from pgtend.archive.erasures import Erasure, Person, keep_erasure, read_erasures
from pgtend.archive.errors import KeyNeeded, NoSuchMonth, NotArchivable, SealBroken
from pgtend.archive.model import State
from pgtend.archive.restoring import release_holds, restore_beside, restore_to_live, thaw
from pgtend.cli.main import app

SEPTEMBER = date(2025, 9, 1)
ARCHIVE = "public.health_metrics_archive"
pytestmark = pytest.mark.pg(">= 18")


@pytest.fixture
def cold(attic: Attic) -> Attic:
    """Give a clinic whose old months were stored in the vault."""
    attic.tables = {METRICS: {"by": "date", "tier": "cold", "person": "user_id"}}
    attic.run()
    return attic


def drop_everything(cold: Attic) -> None:
    """Let the database forget what the vault has."""
    cold.pass_week()
    cold.take_backup()
    assert cold.run().dropped == 4


def erase_seven(cold: Attic, *, with_key: bool = False) -> tuple[Erasure, ErasureReport]:
    """Erase patient 7."""
    erased = Person(SecretStr("7")).digested((METRICS,), "ana")
    with cold.vault() as vault:
        keep_erasure(vault, "clinic", "kgc", erased)
    with cold.desk(keys=KEYS if with_key else None) as desk:
        return erased, erase(desk, erased)


def test_a_month_comes_back_beside_everything_and_equal(cold: Attic) -> None:
    """From the archive first, then from the vault alone, with the private key; the same content both times."""
    was = cold.content("pgtend_archive.public__health_metrics_2025_09")
    with cold.desk() as desk:
        warm = restore_beside(desk, SEPTEMBER)
    assert (cold.content(warm.place), warm.is_whole) == (was, True)
    drop_everything(cold)
    with cold.desk() as desk, pytest.raises(KeyNeeded, match="in the vault only, and sealed"):
        restore_beside(desk, SEPTEMBER)
    cold.live.run(f"DROP SCHEMA {warm.place.partition('.')[0]} CASCADE")
    with cold.desk(keys=KEYS) as desk:
        back = restore_beside(desk, SEPTEMBER)
    assert (cold.content(back.place), back.rows) == (was, cold.unit("2025-09").rows)


def test_a_month_brought_back_twice_at_once_is_there_twice(cold: Attic) -> None:
    """Two copies within one second have two places, and the second does not fail over the first."""
    with cold.desk() as desk:
        places = {restore_beside(desk, SEPTEMBER).place for _ in range(2)}
    assert len({cold.content(place) for place in places}) == len(places) - 1 == 1


def test_one_persons_rows_come_back_alone(cold: Attic) -> None:
    """Whoever asks for their own data gets theirs."""
    rows = cold.ask(
        f"SELECT count(*) FROM {ARCHIVE} WHERE user_id = 7 AND date >= '2025-09-01' AND date < '2025-10-01'"
    )
    whose = Person(SecretStr("7")).digested((METRICS,), "ana")
    with cold.desk() as desk:
        back = restore_beside(desk, SEPTEMBER, whose=whose)
    assert cold.ask(f"SELECT count(*) || ' ' || min(user_id) || ' ' || max(user_id) FROM {back.place}") == f"{rows} 7 7"
    assert (back.rows, back.is_whole) == (int(rows), False)


def test_a_month_that_is_live_again_stays_as_long_as_its_hold(cold: Attic) -> None:
    """The next run would have taken it away again at once."""
    before = cold.content("public.health_metrics_all")
    with cold.desk() as desk:
        back = restore_to_live(desk, SEPTEMBER, hold=timedelta(days=30), by="ana")
    assert back.rows == int(
        cold.ask(f"SELECT count(*) FROM {METRICS} WHERE date < '2025-10-01' AND date >= '2025-09-01'")
    )
    assert cold.content("public.health_metrics_all") == before
    assert cold.run().rows == 0
    cold.live.run("UPDATE pgtend_archive.hold SET until = clock_timestamp()")
    assert cold.run().rows == back.rows
    assert cold.content("public.health_metrics_all") == before
    assert cold.unit("2025-09").stands is State.PROVEN


def test_a_month_from_the_vault_goes_back_into_the_live_table(cold: Attic) -> None:
    """By way of the archive, compared with the ledger before a row is live."""
    before = cold.content(METRICS, ARCHIVE)
    drop_everything(cold)
    with cold.desk(keys=KEYS) as desk:
        restore_to_live(desk, SEPTEMBER, hold=timedelta(days=30), by="ana")
        for month in (7, 8, 10):
            thaw(desk, date(2025, month, 1))
    assert cold.content("public.health_metrics_all") == before


def test_a_month_that_is_not_archived_is_said_to_be_none(cold: Attic) -> None:
    """A mistyped month changes nothing."""
    with cold.desk() as desk, pytest.raises(NoSuchMonth, match="2024-01: it is not archived"):
        restore_beside(desk, date(2024, 1, 1))


def test_a_person_is_erased_everywhere_and_the_ledger_still_agrees(cold: Attic) -> None:
    """Live and archived at once; the next run stores the months anew, and removes the older objects."""
    rows = int(cold.ask("SELECT count(*) FROM public.health_metrics_all WHERE user_id = 7"))
    erased, report = erase_seven(cold)
    assert (report.live + report.archived, report.waiting) == (rows, [])
    assert cold.ask("SELECT count(*) FROM public.health_metrics_all WHERE user_id = 7") == "0"
    assert cold.run().proven == 4
    with cold.vault() as vault:
        assert len([one for one in vault.objects("archive/") if one.key.endswith("manifest.json")]) == 4
        (kept,) = read_erasures(vault, "clinic", "kgc")
    assert kept == erased
    assert "7" not in {kept.salt, kept.digest}


def test_who_is_only_in_the_vault_is_erased_with_a_key_and_never_comes_back_without(cold: Attic) -> None:
    """Without a key the months wait, and say so; whoever brings one back does so without the person."""
    drop_everything(cold)
    erased, waiting = erase_seven(cold)
    assert len(waiting.waiting) == 4
    with cold.desk(keys=KEYS) as desk:
        back = restore_beside(desk, SEPTEMBER)
        assert cold.ask(f"SELECT count(*) FROM {back.place} WHERE user_id = 7") == "0"
        done = erase(desk, erased)
    assert (done.waiting, done.archived > 0) == ([], True)
    assert cold.ask(f"SELECT count(*) FROM {ARCHIVE} WHERE user_id = 7") == "0"
    assert cold.run().proven == 4


def test_an_erasure_is_done_again_after_an_old_backup_came_back(cold: Attic) -> None:
    """The record is in the vault and not in the database, which knows nothing of it after a restore."""
    _, report = erase_seven(cold)
    assert report.live > 0
    cold.live.run(
        f"INSERT INTO {METRICS} (user_id, date, medication_score, diet_score, exercise_score)"
        " VALUES (7, '2026-11-10', 1, 2, 3), (8, '2026-11-10', 1, 2, 3)"
    )
    with cold.vault() as vault:
        (record,) = read_erasures(vault, "clinic", "kgc")
    with cold.desk() as desk:
        assert erase(desk, record).live == 1


def test_what_the_law_holds_is_not_erased(cold: Attic) -> None:
    """It is said which months that were."""
    cold.hold("2025-09", legal=True)
    _, report = erase_seven(cold)
    assert report.held == [f"{METRICS} 2025-09"]
    assert int(cold.ask(f"SELECT count(*) FROM {ARCHIVE} WHERE user_id = 7")) > 0


def test_live_rows_of_a_month_that_the_law_holds_are_not_erased(cold: Attic) -> None:
    """A late row stays in the table because its month is held, and rows that were brought back are there as well."""
    of_september = f"SELECT count(*) FROM {METRICS} WHERE user_id = 7 AND date < '2025-10-01'"
    cold.hold("2025-09", legal=True)
    with cold.desk() as desk:
        restore_to_live(desk, SEPTEMBER, hold=timedelta(days=30), by="ana")
    before = cold.ask(of_september)
    _, report = erase_seven(cold)
    assert (report.held, report.live > 0) == ([f"{METRICS} 2025-09"], True)
    assert cold.ask(of_september) == before != "0"


def test_a_month_that_the_law_holds_comes_back_from_the_vault_with_everybody(cold: Attic) -> None:
    """Who was erased elsewhere meanwhile is still in it, until the hold is lifted and the erasure is done again."""
    of_september = f"SELECT count(*) FROM {ARCHIVE} WHERE user_id = 7 AND date BETWEEN '2025-09-01' AND '2025-09-30'"
    before = cold.ask(of_september)
    drop_everything(cold)
    cold.hold("2025-09", legal=True)
    erased, _ = erase_seven(cold)
    with cold.desk(keys=KEYS) as desk:
        thaw(desk, SEPTEMBER)
        assert cold.ask(of_september) == before != "0"
        release_holds(desk.session, desk.shelf.names, SEPTEMBER)
        erase(desk, erased)
    assert cold.ask(of_september) == "0"


def test_a_copy_of_a_month_that_the_law_holds_is_complete(cold: Attic) -> None:
    """It is held because somebody has to see it, and came without whoever was erased elsewhere meanwhile."""
    before = cold.content("pgtend_archive.public__health_metrics_2025_09")
    cold.hold("2025-09", legal=True)
    erase_seven(cold)
    with cold.desk() as desk:
        back = restore_beside(desk, SEPTEMBER)
    assert (cold.content(back.place), back.is_whole) == (before, True)


def test_who_is_asked_for_is_erased_whatever_the_clock_says(cold: Attic, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another machine, whose clock is ahead, recorded an erasure that sorts behind this one: not that one is meant."""
    ahead = Person(SecretStr("8")).digested((METRICS,), "ben")
    with cold.vault() as vault:
        keep_erasure(vault, "clinic", "kgc", ahead.model_copy(update={"erasure_id": "20990101T000000Z-0a0a0a"}))
    shell = Shell(cold.folder)
    shell.know("kgc", cold.live.owner)
    shell.write_fleet(
        f"fleet: clinic\nvaults: {{main: {{folder: {{path: {cold.folder}/vault}}}}}}\n"
        f"databases: {{kgc: {{archive: {{tables: {{{METRICS}: {{by: date, person: user_id}},"
        " public.visits: {by: at}}}}}\n"
    )
    monkeypatch.chdir(cold.folder)
    monkeypatch.setenv("PGSERVICEFILE", str(cold.folder / ".pg_service.conf"))
    monkeypatch.setenv("PGPASSFILE", str(cold.folder / ".pgpass"))
    done = CliRunner().invoke(app, ["archive", "erase", "kgc"], input="7\n")
    assert done.exit_code == 0, str(done.exception)
    assert "Note: nothing was erased from public.visits" in " ".join(done.output.split())
    assert cold.ask("SELECT count(*) FROM public.health_metrics_all WHERE user_id = 7") == "0"


def test_nobody_is_erased_where_no_rule_says_whom_a_row_is_about(tmp_path: Path) -> None:
    """It is an error before anybody is asked for, and no success with zero rows; nothing is recorded either."""
    shell = Shell(tmp_path)
    shell.write_fleet("fleet: clinic\ndatabases: {kgc: {archive: {tables: {public.visits: {by: at}}}}}\n")
    for words in (("erase", "kgc"), ("erase", "kgc", "--replay")):
        answer = shell.pgtend("archive", *words)
        assert (answer.status, "[archive.no_person_column]" in answer.err) == (78, True)
    assert list(tmp_path.rglob("erasures")) == []


@pytest.mark.parametrize(
    "change",
    [
        ["ALTER TABLE {} ADD COLUMN steps real"],
        ["ALTER TABLE {} ALTER COLUMN user_id TYPE bigint"],
        ["ALTER TABLE {} ALTER COLUMN diet_score DROP NOT NULL", "ALTER TABLE {} ADD COLUMN first_score real"],
    ],
)
def test_a_month_comes_back_from_the_vault_after_its_table_got_other_columns(cold: Attic, change: list[str]) -> None:
    """By name, with the values that each column had when it was stored; beside everything, and into the archive."""
    kept = (
        "SELECT count(*) || ':' || sum(hashtextextended(concat_ws(' ', id, user_id, exercise_score), 0)"
        "::numeric) FROM {} WHERE date BETWEEN '2025-09-01' AND '2025-09-30 23:59'"
    )
    before = cold.ask(kept.format(ARCHIVE))
    drop_everything(cold)
    gone = ["DROP VIEW public.health_metrics_all"]
    cold.live.run(*gone, *(one.format(table) for table in (METRICS, ARCHIVE) for one in change))
    with cold.desk(keys=KEYS) as desk:
        back = restore_beside(desk, SEPTEMBER)
        assert (cold.ask(kept.format(back.place)), back.is_whole) == (before, True)
        thaw(desk, SEPTEMBER)
    assert cold.ask(kept.format(ARCHIVE)) == before
    assert cold.run().proven == 1


def test_no_column_gets_the_values_of_another_one(cold: Attic) -> None:
    """One went and one came, so that each is hashed in the place of another: what was stored is told by its name."""
    exercise = "SELECT sum(exercise_score) FROM {} WHERE date BETWEEN '2025-09-01' AND '2025-09-30 23:59'"
    before = cold.ask(exercise.format(ARCHIVE))
    drop_everything(cold)
    cold.live.run(
        "DROP VIEW public.health_metrics_all",
        f"ALTER TABLE {METRICS} DROP COLUMN diet_score, ADD COLUMN first_score real NOT NULL DEFAULT 0",
        f"ALTER TABLE {ARCHIVE} ALTER COLUMN diet_score DROP NOT NULL, ADD COLUMN first_score real",
    )
    with cold.desk(keys=KEYS) as desk:
        back = restore_beside(desk, SEPTEMBER)
    assert cold.ask(exercise.format(back.place)) == before
    assert cold.ask(f"SELECT count(first_score) || ' ' || count(diet_score) FROM {back.place}") == f"0 {back.rows}"
    cold.live.run(f"ALTER TABLE {ARCHIVE} RENAME COLUMN diet_score TO food_score")
    with cold.desk(keys=KEYS) as desk, pytest.raises(NotArchivable, match="diet_score has no column in the archive"):
        restore_beside(desk, SEPTEMBER)


def test_a_new_column_between_two_runs_breaks_no_seal(cold: Attic) -> None:
    """What is brought back or erased before the next run is taken off the ledger by the columns that it was told of."""
    cold.live.run(*(f"ALTER TABLE {table} ADD COLUMN steps real" for table in (METRICS, ARCHIVE)))
    with cold.desk() as desk:
        assert restore_beside(desk, SEPTEMBER).is_whole
    cold.live.run(*(f"ALTER TABLE {table} ADD COLUMN sleep real" for table in (METRICS, ARCHIVE)))
    erase_seven(cold)
    cold.live.run(*(f"ALTER TABLE {table} ADD COLUMN water real" for table in (METRICS, ARCHIVE)))
    with cold.desk() as desk:
        restore_to_live(desk, SEPTEMBER, hold=timedelta(days=30), by="ana")
    assert cold.run().proven == 3


def test_a_month_that_came_back_beside_late_rows_leaves_with_all_of_them(cold: Attic) -> None:
    """Its late rows were in the vault already, proven by themselves, and left again alone."""
    drop_everything(cold)
    cold.live.run(
        f"INSERT INTO {METRICS} (user_id, date, medication_score, diet_score, exercise_score)"
        " VALUES (8, '2025-09-10', 1, 2, 3)"
    )
    cold.run()
    erase_seven(cold, with_key=True)
    before, rows = cold.content("pgtend_archive.public__health_metrics_2025_09"), cold.unit("2025-09").rows
    cold.run()
    cold.let_go("2025-09")
    with cold.desk(keys=KEYS) as desk:
        back = restore_beside(desk, SEPTEMBER)
    assert (cold.content(back.place), back.rows) == (before, rows)


def test_a_month_that_somebody_wrote_into_does_not_go_live_as_equal(cold: Attic) -> None:
    """It was called equal to the ledger without being compared, and the damage was live."""
    cold.live.run(f"UPDATE {ARCHIVE} SET diet_score = 99 WHERE id = (SELECT max(id) FROM {ARCHIVE})")
    before = cold.content(METRICS)
    with cold.desk() as desk, pytest.raises(SealBroken, match="2025-10 is not what was moved"):
        restore_to_live(desk, date(2025, 10, 1), hold=timedelta(days=30), by="ana")
    assert cold.content(METRICS) == before


def test_a_trigger_does_not_change_what_comes_back(cold: Attic) -> None:
    """All rows arrived, with another score than they had, and that was called equal too."""
    cold.live.run(
        "CREATE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN NEW.diet_score := 1; RETURN NEW; END'",
        f"CREATE TRIGGER touch BEFORE INSERT ON {METRICS} FOR EACH ROW EXECUTE FUNCTION public.touch()",
    )
    before = cold.content(METRICS), cold.content(ARCHIVE)
    with cold.desk() as desk, pytest.raises(NoSuchMonth, match="a trigger of the live table changes rows"):
        restore_to_live(desk, SEPTEMBER, hold=timedelta(days=30), by="ana")
    assert (cold.content(METRICS), cold.content(ARCHIVE)) == before
