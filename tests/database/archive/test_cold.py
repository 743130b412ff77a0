"""Months go to the vault, are proven there, and leave the database only when nothing keeps them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from pydantic import SecretStr

from bed.archiving import METRICS, Attic, own, stored
from pgtend.archive.erasing import erase
from pgtend.archive.erasures import Person
from pgtend.archive.errors import ColdBroken, NobodyToSealFor
from pgtend.archive.model import State
from pgtend.vault.errors import ObjectLocked
from pgtend.vault.folder import FolderVault

COLD = {"by": "date", "tier": "cold", "person": "user_id"}
MONTH = "pgtend_archive.public__health_metrics_2025_09"
LATE = (
    f"INSERT INTO {METRICS} (user_id, date, medication_score, diet_score, exercise_score)"
    " VALUES (8, '2025-09-10', 1, 2, 3)"
)


@pytest.fixture
def cold(attic: Attic) -> Attic:
    """Give a clinic whose old months go to the vault."""
    attic.tables = {METRICS: COLD}
    return attic


def test_a_month_in_the_vault_is_read_by_everybody_who_reads_parquet(cold: Attic) -> None:
    """By pyarrow and by DuckDB, as it was written: every row, and moments and scores as the database had them."""
    assert cold.run().proven == 4
    content, manifest = stored(cold, "2025-09", ".age"), json.loads(stored(cold, "2025-09", ".json"))
    unit = cold.unit("2025-09")
    table = pq.read_table(io.BytesIO(content))
    assert (table.num_rows, manifest["rows"], manifest["checksum"]) == (unit.rows, unit.rows, unit.checksum)
    assert str(table.schema.field("date").type) == "timestamp[us]"
    assert {one["name"] for one in manifest["recipients"]} == {"operations", "escrow"}
    path = cold.folder / "month.parquet"
    path.write_bytes(content)
    seen = duckdb.sql(f"SELECT count(*), sum(id), min(date)::text, sum(diet_score::double) FROM '{path}'").fetchall()
    said = "count(*) || '|' || sum(id) || '|' || min(date) || '|' || sum(diet_score::float8)"
    rows, ids, first, score = cold.ask(f"SELECT {said} FROM {MONTH}").split("|")
    assert (str(seen[0][0]), str(seen[0][1]), seen[0][2]) == (rows, ids, first)
    assert seen[0][3] == pytest.approx(float(score))


def test_every_value_that_postgresql_has_comes_back(cold: Attic) -> None:
    """Loaded from the vault and compared by hash: the odd ones too, infinity and an empty text among them."""
    cold.live.run(
        "CREATE TABLE public.odd (id int PRIMARY KEY, at timestamptz NOT NULL, j json, b jsonb, f float8, r real,"
        " n numeric, m numeric(12,3), i interval, p point, a text[], y bytea, t text, d date,"
        " u uuid, o bool, c char(5))",
        "INSERT INTO public.odd VALUES"
        " (1, '2025-10-01 01:02:03.456789', '{\"a\":  1}', '{\"b\": null}', '-0', 0.1, 1.00, -7.125, '24 hours',"
        " '(1,2)',"
        " '{a,NULL,\"b,c\"}', '\\x00ff', E'line\\nnext \"quoted\" \\\\', '0044-03-15 BC',"
        " gen_random_uuid(), true, 'ab'),"
        " (2, '2025-10-01', NULL, 'null', 'NaN', '-Infinity', 'NaN', NULL, '1 day', NULL, '{}', '', '',"
        " 'infinity', NULL, false, ''),"
        " (3, '2025-10-02', '\"\"', '\"\"', 1e300, 1e-40, 123456789012345678901234567890.1, 0, '-1 mon', '(0,0)', NULL,"
        " NULL, NULL, NULL, NULL, NULL, NULL)",
    )
    own(cold.live, "public.odd")
    cold.tables = {"public.odd": {"by": "at", "tier": "cold"}}
    assert cold.run().proven == 1


@pytest.mark.pg(">= 18")
def test_a_store_that_changes_a_byte_is_found_out_at_once(cold: Attic, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is compared with the ledger went through the vault, so that a lying store is no proof; the rows stay."""
    real = FolderVault.put

    def lying(self: FolderVault, key: str, stream: object, **rest: object) -> object:
        made = real(self, key, stream, **rest)  # type: ignore[arg-type]
        path = cold.folder / "vault" / key
        path.chmod(0o600)
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
        return made

    monkeypatch.setattr(FolderVault, "put", lying)
    with pytest.raises(Exception, match="damaged"):
        cold.run()
    assert {unit.state for unit in cold.units()} == {"sealed"}


def test_a_month_that_is_not_what_the_ledger_says_is_not_stored(cold: Attic) -> None:
    """It is compared once more before anything is written."""
    cold.tables = {METRICS: {"by": "date"}}
    cold.run()
    cold.live.run(f"UPDATE {MONTH} SET diet_score = 1 WHERE id = (SELECT min(id) FROM {MONTH})")
    cold.tables = {METRICS: COLD}
    with pytest.raises(Exception, match="2025-09 is not what was moved"):
        cold.run()
    assert cold.unit("2025-09").stands is State.SEALED


@pytest.mark.pg(">= 18")
def test_a_month_leaves_only_after_a_backup_that_knows_it(cold: Attic) -> None:
    """Proven and past its grace is not enough: a verified backup has to be younger than the seal."""
    cold.run()
    cold.pass_week()
    assert cold.run().dropped == 0
    assert any("no verified backup is younger than its seal" in line for line in cold.lines)
    cold.take_backup()
    report = cold.run()
    assert (report.dropped, cold.unit("2025-09").stands) == (4, State.DROPPED)
    assert cold.ask("SELECT count(*) FROM public.health_metrics_archive") == "0"


@pytest.mark.pg(">= 18")
@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:-1] + b"!")])
def test_a_month_that_is_in_the_vault_no_more_stays_in_the_database(
    cold: Attic, damage: Callable[[Path], object]
) -> None:
    """Between the proof and the drop lies a grace of days: the bytes are read once more, and stored anew."""
    cold.run()
    (path,) = (cold.folder / "vault").glob("archive/**/2025-09/**/month.parquet.zst.age")
    path.chmod(0o600)
    damage(path)
    cold.pass_week()
    cold.take_backup()
    with pytest.raises(ColdBroken, match="2025-09 was proven in the vault, and is not there as it was"):
        cold.run()
    assert cold.unit("2025-09").stands is State.SEALED
    assert cold.run().proven == 1


@pytest.mark.pg(">= 18")
def test_a_late_row_of_a_month_that_is_gone_begins_it_anew(cold: Attic) -> None:
    """Beside what the vault has, and in the vault again afterwards."""
    cold.run()
    cold.pass_week()
    cold.take_backup()
    cold.run()
    cold.live.run(
        f"INSERT INTO {METRICS} (user_id, date, medication_score, diet_score, exercise_score)"
        " VALUES (7, '2025-09-10', 1, 2, 3)"
    )
    report = cold.run()
    unit = cold.unit("2025-09")
    assert (report.rows, unit.rows, unit.gen, unit.stands) == (1, 1, 2, State.PROVEN)
    kept = "SELECT string_agg(gen || state, ' ' ORDER BY gen) FROM pgtend_archive.cold WHERE month = '2025-09-01'"
    assert cold.ask(kept) == "1alone 2proven"


@pytest.mark.pg(">= 18")
def test_a_late_row_replaces_what_the_vault_has_of_a_month_that_is_still_here(cold: Attic) -> None:
    """The older object is removed when the newer one is proven, and not before."""
    cold.run()
    cold.live.run(
        f"INSERT INTO {METRICS} (user_id, date, medication_score, diet_score, exercise_score)"
        " VALUES (7, '2025-09-10', 1, 2, 3)"
    )
    assert cold.run().proven == 1
    assert json.loads(stored(cold, "2025-09", ".json"))["generation"] == 2


@pytest.mark.pg(">= 18")
def test_a_month_whose_drop_was_interrupted_is_seen_again_and_takes_late_rows(cold: Attic) -> None:
    """Killed between taking it out of the archive and dropping it."""
    cold.run()
    before = cold.ask(f"SELECT count(*) + 1 FROM {METRICS}_all")
    cold.live.run(
        f"ALTER TABLE {METRICS}_archive DETACH PARTITION {MONTH}",
        f"INSERT INTO {METRICS} (user_id, date, medication_score, diet_score, exercise_score)"
        " VALUES (7, '2025-09-10', 1, 2, 3)",
    )
    report = cold.run()
    assert (report.rows, report.proven) == (1, 1)
    assert cold.ask(f"SELECT count(*) FROM {METRICS}_all") == before


DEATHS = ["cold.Store._prove", "cold.write_month_manifest", "cold.move_on", "job._Night._forget_older"]


def die_at(cold: Attic, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """Let a run be killed at some place of its work."""

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(f"pgtend.archive.{place}", die)
        with pytest.raises(KeyboardInterrupt):
            cold.run()


def objects(cold: Attic, month: str) -> list[str]:
    """List what the vault has of a month."""
    with cold.vault() as vault:
        return [one.key for one in vault.objects("archive/") if f"/{month}/" in one.key]


@pytest.mark.pg(">= 18")
@pytest.mark.parametrize("until", [*DEATHS, "job.move_on"])
def test_a_run_that_was_killed_leaves_nothing_behind_in_the_vault(
    cold: Attic, monkeypatch: pytest.MonkeyPatch, until: str
) -> None:
    """Nobody would ever have removed it, when a person is erased or the time of the month is over."""
    die_at(cold, monkeypatch, until)
    cold.live.run(LATE.replace("09-10", "07-20"))
    assert cold.run().proven == 4
    assert len(objects(cold, "2025-07")) == 2
    cold.live.run(LATE.replace("09-10", "07-21"))
    die_at(cold, monkeypatch, until)
    cold.run()
    assert len(objects(cold, "2025-07")) == 2


@pytest.mark.pg(">= 18")
@pytest.mark.parametrize("until", DEATHS)
def test_nobody_is_left_in_the_vault_whose_month_is_empty(
    cold: Attic, monkeypatch: pytest.MonkeyPatch, until: str
) -> None:
    """A killed run had stored the only person of a month, who was erased before anything was stored there again."""
    cold.live.run(f"UPDATE {METRICS} SET user_id = 7 WHERE date < '2025-08-01'")
    die_at(cold, monkeypatch, until)
    with cold.desk() as desk:
        erase(desk, Person(SecretStr("7")).digested((METRICS,), "ana"))
    cold.run()
    assert objects(cold, "2025-07") == []


@pytest.mark.pg(">= 18")
def test_what_is_left_of_a_damaged_month_goes_when_it_is_stored_anew(cold: Attic) -> None:
    """Its manifest was gone, and its rows lay there for good: no erasure and no end of its time would have met them."""
    cold.run()
    cold.take_backup()
    cold.pass_week()
    with cold.vault() as vault:
        vault.delete(next(key for key in objects(cold, "2025-09") if key.endswith("manifest.json")))
    with pytest.raises(ColdBroken, match="an object of it is missing"):
        cold.run()
    cold.run()
    assert len(objects(cold, "2025-09")) == 2


@pytest.mark.pg(">= 18")
def test_what_a_store_guards_is_removed_when_it_may_be(cold: Attic, monkeypatch: pytest.MonkeyPatch) -> None:
    """A late row replaces a month whose older objects are locked: that ends no run, and is not forgotten."""
    cold.run()
    cold.live.run(LATE)

    def guarded(_: FolderVault, key: str) -> None:
        raise ObjectLocked(f"'{key}' is locked")

    with monkeypatch.context() as locking:
        locking.setattr(FolderVault, "delete", guarded)
        assert cold.run().proven == 1
    assert any("2025-09: the vault guards what it had of it before" in line for line in cold.lines)
    assert len(objects(cold, "2025-09")) == 4
    cold.run()
    assert len(objects(cold, "2025-09")) == 2


@pytest.mark.pg(">= 18")
def test_a_destruction_that_was_killed_is_ended_and_no_damage(cold: Attic, monkeypatch: pytest.MonkeyPatch) -> None:
    """The vault had let go of the month, and the database not yet."""
    cold.run()
    cold.take_backup()
    cold.pass_week()
    cold.tables = {METRICS: {**COLD, "forget_after": "430 days"}}
    die_at(cold, monkeypatch, "leaving._take_out")
    cold.run()
    assert cold.unit("2025-07").stands is State.DESTROYED


@pytest.mark.pg(">= 18")
def test_months_are_destroyed_when_their_time_is_over(cold: Attic) -> None:
    """In the vault and in the database, with a backup behind it; what is held by law stays."""
    cold.tables = {METRICS: {**COLD, "forget_after": "430 days"}}
    cold.run()
    cold.take_backup()
    cold.hold("2025-08", legal=True)
    assert cold.run().destroyed == 1
    assert [unit.state for unit in cold.units()] == ["destroyed", "proven", "proven", "proven"]
    with cold.vault() as vault:
        assert [one.key for one in vault.objects("archive/") if "/2025-07/" in one.key] == []
        assert [one.key for one in vault.objects("archive/") if "/2025-08/" in one.key] != []
    assert any("2025-08 is not destroyed: a legal hold is on it" in line for line in cold.lines)


@pytest.mark.pg(">= 18")
def test_a_fleet_without_keys_stores_nothing(cold: Attic) -> None:
    """No key is no reason to store rows in the clear."""
    cold.keys = {}
    with pytest.raises(NobodyToSealFor, match="nobody to seal them for"):
        cold.run()
    assert {unit.state for unit in cold.units()} == {"sealed"}
    cold.backup = {"unencrypted": True}
    assert cold.run().proven == 4
    assert issubclass(ColdBroken, Exception)


@pytest.mark.pg(">= 18")
def test_a_document_of_many_megabytes_goes_to_the_vault(cold: Attic) -> None:
    """A row that is longer than what is read at once was called damage, week after week, and no month was stored."""
    cold.live.run(
        f"ALTER TABLE {METRICS} ADD COLUMN scan text",
        f"UPDATE {METRICS} SET scan = repeat(E'\\\"é\\n,', 4000000) WHERE id IN (2, 3)",
        f"UPDATE {METRICS} SET scan = repeat('x', 9000000) WHERE id IN (5, 800)",
    )
    assert cold.run().proven == 4


@pytest.mark.pg(">= 18")
def test_columns_of_any_name_go_to_the_vault_and_come_back(cold: Attic) -> None:
    """A percent sign was looked for twice, and the month was not stored."""
    odd = ['"100%%"', '"a.b"', '"q""t{x}"', '"Zeit é"']
    cold.live.run(*(f"ALTER TABLE {METRICS} ADD COLUMN {name} timestamptz DEFAULT now()" for name in odd))
    assert cold.run().proven == 4
