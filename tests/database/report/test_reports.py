"""Reports of a quarter of history: what they say, how large they are, and that nothing in them can break out."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Generator, Mapping

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from bed.clusters import Clusters
from bed.history import NOW, clinic, fill_fleet
from bed.ledgers import new_ledger, tell
from pgtend.ledger.database import DatabaseLedger
from pgtend.postgres.session import Session
from pgtend.report.job import MadeReport, make_reports
from pgtend.report.openmetrics import names, open_metrics

LIMIT = 150 * 1024


@pytest.fixture(scope="module")
def memory(clusters: Clusters) -> Generator[Session]:
    """Give a ledger with a quarter of history."""
    with new_ledger(clusters.server(18)) as reporting, reporting.session() as session:
        fill_fleet(session, clinic())
        yield session


@pytest.fixture(scope="module")
def made(memory: Session) -> Mapping[str, MadeReport]:
    """Make every report once."""
    fleet = clinic()
    found = make_reports(fleet, DatabaseLedger(memory), list(fleet.databases.values()), clock=lambda: NOW)
    return {one.report.name: one for one in found}


def text_of(made: MadeReport) -> str:
    """Read the page of a report."""
    return made.page.decode()


def test_there_is_a_page_for_each_database_and_one_for_all(made: Mapping[str, MadeReport]) -> None:
    """Six pages, none larger than a mail takes gladly."""
    assert list(made) == ["fleet", "kgc", "heliotrope", "scribemed", "vaxtrace", "healthmate"]
    sizes = {name: len(one.page) for name, one in made.items()}
    assert {name: size for name, size in sizes.items() if size >= LIMIT} == {}


def test_the_verdict_says_what_is_worst(made: Mapping[str, MadeReport]) -> None:
    """In one sentence, and the fleet's names who needs somebody."""
    assert made["kgc"].report.verdict == (
        "kgc needs somebody now (2 critical, 3 warning, 1 unknown): Connections used 93 % (90 of 97)."
    )
    assert made["fleet"].report.verdict == "healthmate, kgc need somebody now."


def test_what_nobody_knows_is_said_and_never_green(made: Mapping[str, MadeReport]) -> None:
    """The database nobody ever looked at says so in every section."""
    page = text_of(made["healthmate"])
    for said in (
        "Nobody has looked at its health yet",
        "No sound backup is known",
        "No night has been recorded yet",
        "No backup is known to the ledger",
        "The ledger knows no run of any pipeline",
        "No table has been recorded yet",
        "No drill has been recorded, so nobody knows how long a restore takes",
    ):
        assert said in page, said
    assert 'class="level ok"' not in page


def test_statements_show_their_nights_and_their_cause(made: Mapping[str, MadeReport]) -> None:
    """Share, sparkline, "seen 28 of 30 nights", and why one got worse since when."""
    page = text_of(made["kgc"])
    assert re.search(r">2\d of 30</span>", page)
    assert "blocks per call 38 times: another plan or a missing index" in page
    assert "since 17 Nov" in page
    assert "88 of the last 90 nights counted; 2 missed and contained in the next one" in page
    assert "reindex succeeded" in page, "an event stands on the day it happened"


def test_what_approaches_its_end_has_a_date(made: Mapping[str, MadeReport]) -> None:
    """Disk and sequence grow, so the days until they are full are told."""
    (health,) = [section for section in made["kgc"].report.sections if section.key == "health"]
    rows = {row[1].raw: row for row in health.tables[0].rows}
    assert 60 < float(str(rows["Disk used"][5].raw)) < 90
    assert rows["Fullest sequence"][5].shown.endswith(" days")
    assert rows["Longest query"][5].shown == ""


def test_a_restore_is_as_long_as_drills_measured_it(made: Mapping[str, MadeReport]) -> None:
    """The trend of a quarter of drills, the newest beside what is allowed and what it would take today."""
    (drills,) = [section for section in made["kgc"].report.sections if section.key == "drills"]
    assert [step.value for step in drills.charts[0].steps][-2:] == [72 * 60, 74 * 60]
    assert drills.charts[0].critical == 7200
    assert [cell.shown for cell in drills.tables[0].rows[0]][3:] == ["1 h 14 min", "2 h", "1 h 15 min", "21 h"]


def test_a_pool_that_is_too_large_gets_advice(made: Mapping[str, MadeReport]) -> None:
    """From the busiest moment of the week, and who holds what it does not use."""
    page = text_of(made["kgc"])
    assert re.search(r"at most \d+ of \d+ sessions worked at the same moment; billing holds 12", page)
    assert re.search(r"Pools of \d+ in all would do", page)


def test_nothing_in_the_data_becomes_markup(made: Mapping[str, MadeReport]) -> None:
    """Table names, application names, errors and statements that try to be a script are words."""
    for one in made.values():
        page = text_of(one)
        assert "<script" not in page
        assert "<img" not in page
        assert "\u202e" not in page
        assert page.count("</style>") == page.count("<style>")
    assert "&lt;img src=x onerror=alert(1)&gt;" in text_of(made["kgc"])


def test_a_page_needs_nothing_from_anywhere(made: Mapping[str, MadeReport]) -> None:
    """No address, no script, no font: it opens from a mail and on a machine without a network."""
    for one in made.values():
        page = text_of(one)
        assert re.findall(r"""(?:src|href|url\()\s*=?["'(]?(?!#)[a-z]*:?//""", page) == []
        assert {target for target in re.findall(r'href="([^"]*)"', page) if not target.startswith("#")} == set()
        assert "default-src &#x27;none&#x27;" in page


def test_programs_get_the_same(made: Mapping[str, MadeReport]) -> None:
    """JSON of everything, and a CSV of each table whose cells no spreadsheet takes for a formula."""
    files = {file.name: file.content.decode() for file in made["kgc"].files}
    whole = json.loads(files["kgc.json"])
    assert (whole["level"], whole["name"], len(whole["sections"])) == ("critical", "kgc", 9)
    rows = list(csv.DictReader(io.StringIO(files["kgc-backups-backups.csv"])))
    assert len(rows) == 12
    assert {row["state"] for row in rows} == {"VERIFIED", "PROVEN"}
    assert int(rows[0]["stored"]) > 5 * 10**9
    assert "kgc-load-exec_ms.csv" in files
    for name, content in files.items():
        if name.endswith(".csv"):
            cells = [cell for row in csv.reader(io.StringIO(content)) for cell in row]
            assert not [cell for cell in cells if cell.startswith(("=", "@"))], name


def test_one_database_alone_can_be_reported_on(memory: Session) -> None:
    """Without the page of the fleet, which would say only half."""
    fleet = clinic()
    found = make_reports(fleet, DatabaseLedger(memory), [fleet.databases["vaxtrace"]], clock=lambda: NOW)
    assert [one.report.name for one in found] == ["vaxtrace"]


def test_monitoring_reads_the_numbers(memory: Session) -> None:
    """The text is OpenMetrics by its own parser, in base units, with postgres_exporter's names where it has them."""
    text = open_metrics(DatabaseLedger(memory)).decode()
    assert text.endswith("# EOF\n")
    families = {family.name: family for family in text_string_to_metric_families(text)}
    found = {
        (name, sample.labels.get("database"), sample.labels.get("metric") or sample.labels.get("state")): sample.value
        for name, family in families.items()
        for sample in family.samples
    }
    assert found["pg_up", "kgc", None] == 1
    assert found["pgtend_connections_used_ratio", "kgc", None] == pytest.approx(0.93)
    assert found["pg_database_size_bytes", "kgc", None] == 27_500 * 1024**2
    assert found["pgtend_health_level", "kgc", "connections_used"] == 4
    assert found["pgtend_health_level", "kgc", "archive_backlog"] == 2
    assert found["pgtend_backups", "kgc", "VERIFIED"] == 11
    assert ("pgtend_archive_backlog", "kgc", None) not in found, "what nobody could read has no number"
    assert set(families) <= names()


def test_a_number_that_is_too_old_is_not_told_as_if_it_were_new(memory: Session) -> None:
    """Three looks later the gauges of that database are gone, and its level is unknown."""
    with memory.transaction():
        tell(memory, "UPDATE reporting.health_current SET stale_after = '1 min' WHERE database = 'vaxtrace'")
        text = open_metrics(DatabaseLedger(memory)).decode()
        tell(memory, "UPDATE reporting.health_current SET stale_after = '36500 days' WHERE database = 'vaxtrace'")
    assert 'pgtend_connections_used_ratio{database="vaxtrace"}' not in text
    assert 'pgtend_connections_used_ratio{database="kgc"}' in text
    assert 'pgtend_health_level{database="vaxtrace",metric="connections_used"} 2.0' in text
