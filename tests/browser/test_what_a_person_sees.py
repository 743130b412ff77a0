"""What a person sees who opens Airflow: the pipelines, their promises, and what to do when one of them fails."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import pytest
from playwright.sync_api import expect

from bed.airflow_site import ADMIN
from bed.airflow_visitor import Stage, Visitor

pytestmark = pytest.mark.long

BROKEN = """\
  xray:
    anlyze: {schedule: "0 2 * * *"}
  icu:
    analyze: {schedule: "61 2 * * *"}
  twin:
    connection: twin
  twin:
    connection: annex
  ward:
    owner: ward-team
"""


def test_a_person_logs_in_and_finds_the_pipelines_of_a_database(stranger: Visitor) -> None:
    """After the login, the tag of a database leaves its own pipelines in the list and nothing else."""
    page = stranger.open("/")
    page.get_by_label("Username").fill(ADMIN[0])
    page.get_by_label("Password").fill(ADMIN[1])
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Dags", exact=True).first.click()
    expect(page.get_by_role("link", name="lab.analyze")).to_be_visible()
    page.get_by_role("combobox", name="Filter Dags by tag").fill("kgc")
    page.get_by_role("option", name="kgc", exact=True).click()
    for other in ("lab.analyze", "fleet.audit"):
        expect(page.get_by_role("link", name=other)).to_have_count(0)
    expect(page.get_by_role("link", name="kgc.analyze")).to_be_visible()


def test_a_pipeline_says_on_its_page_what_it_promises(visitor: Visitor) -> None:
    """Its documentation tells what each task does and what to do when one fails; the page names who owns it."""
    page = visitor.open("/dags/kgc.analyze")
    expect(page.get_by_role("link", name="kgc-team")).to_be_visible()
    page.get_by_role("button", name="Dag Docs").click()
    promise = page.get_by_role("dialog")
    expect(promise.get_by_role("heading", name="Fresh statistics")).to_be_visible()
    expect(promise.get_by_role("row", name="plan lists every decision with its reason")).to_be_visible()
    expect(promise.get_by_role("row", name="analyze decides again on what is true by then")).to_be_visible()
    expect(promise).to_contain_text("the task log ends with a HINT that names the runbook to follow")


def test_a_broken_fleet_file_is_one_import_error_with_every_problem(stage: Stage, visitor: Visitor) -> None:
    """People see all that is wrong at once, with its lines, and the pipelines of sound databases stay in the list."""
    with broken_fleet_file(stage):
        page = visitor.open("/")
        page.get_by_role("button", name="1 Dag Import Error").click()
        errors = page.get_by_role("dialog")
        errors.get_by_role("button", name="fleet_file.py").click()
        for problem in (
            "databases.xray.anlyze (line 12): unknown setting 'anlyze' (did you mean 'analyze'?)",
            "databases.icu.analyze.schedule (line 14): '61 2 * * *' is not a schedule: '61' is no minute",
            "databases.twin (line 17): two databases are named 'twin', on line 15 and on line 17",
            "HINT: Correct these lines of",
        ):
            expect(errors).to_contain_text(problem)
        page = visitor.open("/dags")
        for sound in ("kgc.analyze", "lab.analyze", "ward.analyze", "fleet.audit", "fleet.reminders"):
            expect(page.get_by_role("link", name=sound)).to_be_visible()
        for broken in ("xray", "icu", "twin"):
            expect(page.get_by_role("link", name=broken)).to_have_count(0)


def test_no_page_of_ours_complains_on_the_console(visitor: Visitor) -> None:
    """The code of a pipeline and the list of plugins, which names ours, load without an error."""
    visitor.open("/dags/kgc.analyze/code").wait_for_load_state("networkidle")
    visitor.open("/plugins").wait_for_load_state("networkidle")
    expect(visitor.page.get_by_text("pgtend", exact=True).first).to_be_visible()


def test_a_complaint_on_the_console_is_noticed(visitor: Visitor) -> None:
    """What the page before relies upon: an error, an exception and a missing page all count."""
    with visitor.page.expect_console_message(lambda message: "404 (Not Found)" in message.text):
        visitor.open("/dags/no-such-pipeline")
    with visitor.page.expect_event("pageerror"):
        visitor.page.evaluate("console.error('an error of a test'); setTimeout(() => { throw new Error('thrown') })")
    noticed = " ".join(visitor.complaints)
    visitor.complaints.clear()
    assert "an error of a test" in noticed
    assert "thrown" in noticed
    assert "404 (Not Found)" in noticed


@contextmanager
def broken_fleet_file(stage: Stage) -> Generator[None]:
    """Add mistakes to the fleet file, and one more database without any, until the block ends."""
    stage.say_in_fleet_file(BROKEN)
    try:
        stage.site.wait("the import error", lambda: stage.import_errors() == 1, patience=60)
        stage.site.wait("the new database", lambda: stage.site.knows("ward.analyze"), patience=60)
        yield
    finally:
        stage.say_in_fleet_file()
        stage.site.wait("a sound fleet file", lambda: stage.import_errors() == 0, patience=60)
