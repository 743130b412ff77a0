"""What an operator does on an ordinary day: proves a backup, reviews the receipt, deals with a failure."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from bed.airflow_site import ADMIN
from bed.airflow_visitor import Stage, Visitor
from bed.looks import is_red

pytestmark = pytest.mark.long
FAILED = r"\[clinic production\] lab\.analyze failed: .*"
RUN = "a[href*='/runs/']"


def test_a_backup_is_proven_by_hand_and_its_receipt_is_reviewed(stage: Stage, stranger: Visitor) -> None:
    """Log in, start drills from the page and from Airflow's form, see both end, read the receipt, accept it."""
    page = stranger.open("/")
    log_in(page)
    page.get_by_role("link", name="Databases", exact=True).click()
    page.get_by_role("link", name="kgc", exact=True).first.click()
    stage.site.patch("dags/kgc.restore_drill", is_paused=False)
    page.get_by_role("button", name="Drill now").click()
    form = page.get_by_role("alertdialog")
    expect(form).to_contain_text("Production is not touched.")
    form.get_by_label("Which backup").select_option("the newest")
    form.get_by_role("button", name="Drill now").click()
    by_page = form.locator(RUN).inner_text()
    by_form = trigger(stage, page, "lab.restore_drill", "By which rule it is chosen")
    assert stage.site.finish("kgc.restore_drill", by_page) == "success", stage.site.home
    assert stage.site.finish("lab.restore_drill", by_form) == "success", stage.site.home

    page = stranger.open("/plugin/pgtend/kgc/drills")
    line = page.get_by_role("region", name="drills").get_by_role("row", name="pass")
    expect(line).to_contain_text("newest, from main")
    line.get_by_role("button", name="Look inside").click()
    inside = page.get_by_role("dialog").filter(has_text="Drill of ")
    expect(inside).to_contain_text("its signature holds")
    expect(inside).to_contain_text("Nobody has reviewed it yet.")
    expect(inside.get_by_role("region", name="checks").get_by_role("row", name="rows")).to_contain_text("passed")
    say(page, "Review", "Why? (needed unless it is accepted)", "as it should be")
    expect(inside).to_contain_text("accepted admin")
    say(page, "Corrective action", "What is done about it, by whom and until when?", "a third copy, by Ada, in May")
    expect(inside).to_contain_text("a third copy, by Ada, in May")
    with page.context.expect_page() as opened:
        inside.get_by_role("link", name="Receipt number").click()
    receipt = opened.value
    expect(receipt.get_by_role("heading", name="Restore drill of kgc")).to_be_visible()
    expect(receipt.locator("main")).to_contain_text("as it should be")
    expect(receipt.locator("main")).to_contain_text("a third copy, by Ada, in May")


def test_a_failure_is_told_taken_on_and_over(stage: Stage, visitor: Visitor) -> None:
    """The run and the row turn red, mail and chat say why, an acknowledgement calms it, the next good run ends it."""
    owner = stage.lab.role_name("tender")
    stage.site.patch("dags/lab.analyze", is_paused=False)
    stage.lab.run("ALTER TABLE public.visits OWNER TO postgres")
    page = visitor.open("/plugin/pgtend/lab")
    run_id = start(page, "Analyze now")
    assert stage.site.finish("lab.analyze", run_id) == "failed"
    stage.site.wait("both messages", lambda: bool(stage.mail.mails and stage.chat.posts), patience=60)
    assert re.fullmatch(FAILED, str(stage.mail.mails[-1]["Subject"]))
    assert re.fullmatch(FAILED, stage.chat.posts[-1]["title"])
    its_log_ends_with_what_to_do(page, visitor, run_id)

    page = visitor.open("/plugin/pgtend")
    expect(page.get_by_role("status")).to_contain_text("lab needs somebody now.")
    expect(page.locator("[data-database]").first).to_have_attribute("data-database", "lab")
    page.get_by_role("button", name="lab, Open alerts, needs somebody now: 1 open").click()
    page.get_by_role("dialog").get_by_role("link", name="Look closer").click()
    expect(page.get_by_role("region", name="alerts").get_by_role("row", name="analyze")).to_contain_text("open")
    page = visitor.open("/plugin/pgtend/fleet/alerts")
    say(page, "Acknowledge", "What should colleagues know?", "asking the owner")
    line = page.get_by_role("region", name="alerts").get_by_role("row", name="acknowledged")
    expect(line).to_contain_text("by admin")
    expect(line).to_contain_text("asking the owner")

    stage.lab.run(f'ALTER TABLE public.visits OWNER TO "{owner}"')
    page = visitor.open("/plugin/pgtend/lab")
    assert stage.site.finish("lab.analyze", start(page, "Analyze now")) == "success"
    stage.site.wait("the good news", lambda: "recovered" in stage.chat.posts[-1]["title"], patience=60)
    assert str(stage.mail.mails[-1]["Subject"]) == "[clinic production] lab.analyze recovered"
    page = visitor.open("/plugin/pgtend")
    expect(page.get_by_role("button", name="lab, Open alerts, fine: none")).to_be_visible()
    assert "page.started" in audited(visitor)
    assert "alert.acknowledged" in audited(visitor)


def log_in(page: Page) -> None:
    """Fill in Airflow's own form."""
    page.get_by_label("Username").fill(ADMIN[0])
    page.get_by_label("Password").fill(ADMIN[1])
    page.get_by_role("button", name="Sign in").click()


def trigger(stage: Stage, page: Page, dag_id: str, explains: str) -> str:
    """Start a run by Airflow's own form, and tell its id."""
    stage.site.patch(f"dags/{dag_id}", is_paused=False)
    page.goto(f"{stage.site.address}/dags/{dag_id}")
    page.get_by_role("button", name="Trigger").click()
    form = page.get_by_role("dialog")
    expect(form).to_contain_text(explains)
    form.get_by_role("button", name="Trigger").click()
    page.wait_for_url(f"**/dags/{dag_id}/runs/**")
    runs = stage.site.get(f"dags/{dag_id}/dagRuns")["dag_runs"]
    assert isinstance(runs, list)
    (run,) = runs
    assert isinstance(run, dict)
    return str(run["dag_run_id"])


def start(page: Page, button: str) -> str:
    """Press a button of our page, confirm, and tell the run's id."""
    page.get_by_role("button", name=button).click()
    form = page.get_by_role("alertdialog")
    form.get_by_role("button", name=button).click()
    run_id = form.locator(RUN).inner_text()
    form.get_by_role("button", name="Close").first.click()
    return run_id


def say(page: Page, button: str, label: str, text: str) -> None:
    """Press a button that asks for words, write them, confirm."""
    page.get_by_role("button", name=button, exact=True).click()
    form = page.get_by_role("alertdialog")
    form.get_by_label(label).fill(text)
    form.get_by_role("button", name=button, exact=True).click()
    expect(form.get_by_role("status")).to_be_visible()
    form.get_by_role("button", name="Close").first.click()


def its_log_ends_with_what_to_do(page: Page, visitor: Visitor, run_id: str) -> None:
    """Look at the run: it is red, and the last words of its log are the hint; Airflow adds source lines alone."""
    page = visitor.open(f"/dags/lab.analyze/runs/{run_id}")
    bad = page.get_by_text("Failed", exact=True).first
    expect(bad).to_be_visible()
    assert is_red(bad)
    page.get_by_role("row", name="plan").get_by_role("link", name="plan").click()
    log = page.get_by_role("code").filter(has_text="Log message source details")
    expect(log).to_contain_text("[planner.rights_missing]")
    said = filter(None, log.inner_text().rpartition("HINT: ")[2].splitlines())
    *_, advice = (line for line in said if not line.startswith(('File "', "▶ ")))
    assert advice.endswith("Then run `pgtend doctor`; see docs/runbooks/missing-right.md.")


def audited(visitor: Visitor) -> list[str]:
    """Tell what the audit knows of the database lab."""
    answer = visitor.page.request.get(f"{visitor.address}/pgtend/api/v1/audit?target=lab&most=50")
    return [entry["action"] for entry in answer.json()["items"]]
