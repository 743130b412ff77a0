"""What an operator does on a day in the running demo: proves backups, reads a receipt, deals with a failure."""

from __future__ import annotations

import email
import email.policy
import json
import re
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from subprocess import run
from typing import Final, Self
from urllib.parse import quote

from playwright.sync_api import Page, expect

from bed.airflow_visitor import PATIENCE, Visitor
from bed.looks import DESK, faults, faults_anywhere, is_green, is_red
from demo.pictures import chromium
from demo.runtime.api import Api, Run
from demo.runtime.places import Places
from demo.runtime.ports import read_ports
from demo.runtime.secret_words import SecretWords

RUN: Final = "a[href*='/runs/']"
OVER: Final = {"success", "failed"}
FAILED: Final = r"\[demo development\] vaxtrace\.analyze failed: .*"
RECOVERED: Final = "[demo development] vaxtrace.analyze recovered"


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody in front of the running demo: a browser window, the API behind it, and the sinks of its alerts."""

    visitor: Visitor
    places: Places
    api: Api

    @classmethod
    @contextmanager
    def at_work(cls, places: Places) -> Generator[Self]:
        """Open a window of the demo; no page shown in it may complain on the console."""
        api = Api(f"http://127.0.0.1:{read_ports(places)['ui']}")
        expect.set_options(timeout=PATIENCE)
        with api.http, chromium() as browser, browser.new_context(viewport=DESK) as context:
            api.log_in("admin", SecretWords(places)["admin"])
            context.set_default_timeout(PATIENCE)
            visitor = Visitor(context.new_page(), api.url)
            visitor.page.on("console", lambda message: visitor.listen(message))  # noqa: PLW0108 - Playwright writes on bound methods
            visitor.page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
            yield cls(visitor, places, api)
            assert visitor.complaints == []

    @property
    def page(self) -> Page:
        """What the window shows."""
        return self.visitor.page

    def mails(self) -> list[str]:
        """Tell the subject of each mail that arrived, and its text."""
        files = sorted((self.places.state / "mail").glob("*.eml"))
        parsed = (email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files)
        bodies = ((mail, mail.get_body(("plain",))) for mail in parsed)
        said = (f"{mail['Subject']}\n{body.get_content() if body else ''}" for mail, body in bodies)
        return ["\n".join(one.splitlines()) for one in said]

    def posts(self) -> list[str]:
        """Tell each message that the webhook was sent."""
        kept = self.places.state / "webhooks.jsonl"
        lines = kept.read_text().splitlines() if kept.exists() else []
        return [f"{body['title']}\n{body['message']}" for body in (json.loads(line)["body"] for line in lines)]

    def end_of(self, dag_id: str, run_id: str) -> str:
        """Wait for the end of a run, and tell how it ended."""
        asked = Run(dag_id, run_id, "running", None)
        return self.wait(f"the end of {dag_id}", lambda: next(one.state for one in self.api.look_again([asked])), OVER)

    def hears(self, title: str) -> str:
        """Wait until both a mail and a post begin like this, and give the text of the mail."""

        def arrived(said: list[str]) -> str:
            return next((one for one in reversed(said) if re.match(title, one)), "")

        self.wait(f"a post: {title}", lambda: str(bool(arrived(self.posts()))), {"True"})
        self.wait(f"a mail: {title}", lambda: str(bool(arrived(self.mails()))), {"True"})
        return arrived(self.mails())

    def wait(self, what: str, state: Callable[[], str], wanted: set[str]) -> str:
        """Wait until something has one of some states, and not for ever."""
        deadline = time.monotonic() + PATIENCE / 250
        while (found := state()) not in wanted:
            assert time.monotonic() < deadline, f"waited for {what}, and it is {found}"
            time.sleep(0.5)
        return found

    def shell(self, command: str) -> None:
        """Run a command as a person does who follows the tutorial."""
        run(("/bin/sh", "-c", f'. "{self.places.shell}" && {command}'), check=True, capture_output=True)


def spend_a_day(places: Places) -> None:
    """Log in and look around; start drills; while they run, see a failure come and go; then read a receipt."""
    with Operator.at_work(places) as operator:
        log_in(operator)
        by_page, by_form = drill_from_the_page(operator), drill_from_the_form(operator)
        a_failure_comes_and_goes(operator)
        assert operator.end_of("kgc.restore_drill", by_page) == "success"
        assert operator.end_of("heliotrope.restore_drill", by_form) == "success"
        read_the_receipt(operator)
        everybody_may_what_their_role_says(operator)


def log_in(operator: Operator) -> None:
    """Fill in Airflow's own form, and choose our page from its menu."""
    page = operator.visitor.open("/")
    page.wait_for_load_state("networkidle")
    # Airflow's own login page trips over a script of its own (moment.tz); nothing of ours is loaded by then.
    operator.visitor.complaints.clear()
    page.locator("input[name=username]").fill("admin")
    page.locator("input[name=password]").fill(SecretWords(operator.places)["admin"])
    page.locator("input[type=submit], button[type=submit]").first.click()
    page.get_by_role("link", name="Databases", exact=True).click()
    expect(page.get_by_role("heading", name="Databases")).to_be_visible()
    expect(page.locator("[data-database]")).to_have_count(5)
    a_first_look_sees_judgements(operator)


def a_first_look_sees_judgements(operator: Operator) -> None:
    """See that what the past was made for is judged: what one team broke, and what waits for a person.

    How quick a statement or how calm a server is on this machine is no matter of ours, so green is not asked for.
    """
    rows = operator.api.http.get("/pgtend/api/v1/fleet").json()["rows"]
    lights = {(row["database"], column): cell["light"] for row in rows for column, cell in row["cells"].items()}
    judged = {place: light for place, light in lights.items() if place[1] in {"statements", "archive"}}
    assert len(judged) == 2 * len(rows), judged
    assert "unknown" not in judged.values(), judged
    assert lights["vaxtrace", "statements"] in {"watch", "bad"}, judged
    assert lights["kgc", "archive"] == "watch", judged


def drill_from_the_page(operator: Operator) -> str:
    """From the list to the page of a database, and its button: the run has begun."""
    page = operator.page
    page.get_by_role("link", name="kgc", exact=True).first.click()
    page.get_by_role("button", name="Drill now").click()
    form = page.get_by_role("alertdialog")
    expect(form).to_contain_text("Production is not touched.")
    form.get_by_label("Which backup").select_option("the newest")
    form.get_by_role("button", name="Drill now").click()
    return form.locator(RUN).inner_text()


def drill_from_the_form(operator: Operator) -> str:
    """By Airflow's own form, which explains its fields."""
    page = operator.visitor.open("/dags/heliotrope.restore_drill")
    before = operator.api.newest_run("heliotrope.restore_drill")
    page.get_by_role("button", name="Trigger").click()
    form = page.get_by_role("dialog")
    expect(form).to_contain_text("By which rule it is chosen")
    form.get_by_role("button", name="Trigger").click()
    page.wait_for_url("**/dags/heliotrope.restore_drill/runs/**")
    begun = operator.api.newest_run("heliotrope.restore_drill")
    assert begun is not None
    assert begun != before
    return begun.run_id


def a_failure_comes_and_goes(operator: Operator) -> None:
    """See the row turn red: mail and chat say why, an acknowledgement calms it, the next good run ends it."""
    page = operator.page
    operator.shell('psql -q "service=demo_admin dbname=vaxtrace" -c "REVOKE vaxtrace_owner FROM pgtend"')
    try:
        run_id = analyze(operator)
        assert operator.end_of("vaxtrace.analyze", run_id) == "failed"
        mail = operator.hears(FAILED)
    finally:
        operator.shell('psql -q "service=demo_admin dbname=vaxtrace" -c "GRANT vaxtrace_owner TO pgtend"')
    for answered in ("Still safe:\n    what the run of ", "Hint:\n    ", "missing-right", f"/runs/{quote(run_id)}"):
        assert answered in mail, mail
    its_log_ends_with_what_to_do(operator, run_id)

    operator.visitor.open("/plugin/pgtend")
    print("needs somebody:", *what_needs_somebody(operator), sep="\n  ")  # noqa: T201 - what a red test leaves to read
    # Another database may need somebody too: how calm this machine is, is no matter of ours.
    expect(page.get_by_role("status")).to_contain_text(re.compile(r"\bvaxtrace\b.* needs? somebody now\."))
    expect(page.get_by_role("button", name="vaxtrace, Work, needs somebody now: analyze failed")).to_be_visible()
    assert faults_anywhere(page) == []
    page.get_by_role("button", name="vaxtrace, Open alerts, needs somebody now: 1 open").click()
    page.get_by_role("dialog").get_by_role("link", name="Look closer").click()
    alert = page.get_by_role("region", name="alerts").get_by_role("row", name="analyze")
    expect(alert).to_contain_text("open")
    say(page, "Acknowledge", "What should colleagues know?", "asking the owner")
    expect(alert).to_contain_text("acknowledged")
    expect(alert).to_contain_text("by admin")
    expect(alert).to_contain_text("asking the owner")

    analyze_one_table_by_the_form(operator)
    assert operator.end_of("vaxtrace.analyze", analyze(operator)) == "success"
    operator.hears(re.escape(RECOVERED))
    operator.visitor.open("/plugin/pgtend")
    expect(page.get_by_role("button", name="vaxtrace, Open alerts, fine: none")).to_be_visible()
    assert page.get_by_role("button", name=re.compile("^vaxtrace, Work, fine: ")).is_visible()
    audited = operator.api.http.get("/pgtend/api/v1/audit", params={"target": "vaxtrace", "most": "50"}).json()["items"]
    assert {"page.started", "alert.acknowledged"} <= {entry["action"] for entry in audited}


def what_needs_somebody(operator: Operator) -> list[str]:
    """List every red cell of the page and why it is red."""
    rows = operator.api.http.get("/pgtend/api/v1/fleet").json()["rows"]
    cells = [(f"{row['database']}, {column}", cell) for row in rows for column, cell in row["cells"].items()]
    return [f"{place}: {cell['says']}: {cell['why']}" for place, cell in cells if cell["light"] == "bad"]


def analyze(operator: Operator) -> str:
    """Press the button of the page, confirm, and tell the run's id."""
    page = operator.visitor.open("/plugin/pgtend/vaxtrace")
    page.get_by_role("button", name="Analyze now").click()
    form = page.get_by_role("alertdialog")
    form.get_by_role("button", name="Analyze now").click()
    return form.locator(RUN).inner_text()


def analyze_one_table_by_the_form(operator: Operator) -> None:
    """Airflow's own form explains its fields and obeys what is written in them, and the log says what was done."""
    for table in ("vaccines", "facilities"):
        operator.shell(f'psql -q "service=demo_admin dbname=vaxtrace" -c "ALTER TABLE {table} ADD lately text"')
    page = operator.visitor.open("/dags/vaxtrace.analyze")
    page.get_by_role("button", name="Trigger").click()
    form = page.get_by_role("dialog")
    expect(form).to_contain_text("Only tables that match this name")
    expect(form).to_contain_text("Start although the maintenance window of the database is closed")
    expect(form).to_contain_text("The log of the first task lists every decision with its reason; nothing is changed")
    expect(form.get_by_role("checkbox", name="Now, even outside the window")).not_to_be_checked()
    expect(form.get_by_role("checkbox", name="Only say what would be done")).not_to_be_checked()
    form.get_by_role("group").filter(has_text="Only tables that match").get_by_role("textbox").fill("public.vaccines")
    form.get_by_role("button", name="Trigger").click()
    page.wait_for_url("**/dags/vaxtrace.analyze/runs/**")
    good = page.get_by_text("Success", exact=True)
    expect(good, "the run and both of its tasks").to_have_count(3)
    assert is_green(good.first)
    page.get_by_role("row", name="analyze").get_by_role("link", name="analyze").click()
    expect(page.get_by_text(re.compile(r"vaxtrace: 1 proved, \d+ skipped in [\d.]+ m?s"))).to_be_visible()


def its_log_ends_with_what_to_do(operator: Operator, run_id: str) -> None:
    """Look at the run: it is red, and below all that Airflow says the log ends with what to do, folded to be read."""
    page = operator.visitor.open(f"/dags/vaxtrace.analyze/runs/{run_id}")
    bad = page.get_by_text("Failed", exact=True).first
    expect(bad).to_be_visible()
    assert is_red(bad)
    page.get_by_role("row", name="plan").get_by_role("link", name="plan").click()
    expect(page.get_by_text("the role lacks rights that ANALYZE needs [planner.rights_missing]").last).to_be_visible()
    advice = page.get_by_text("Then run `pgtend doctor`; see docs/runbooks/missing-right.md.").last
    expect(advice).to_be_in_viewport()
    edge = advice.bounding_box()
    assert edge is not None
    assert edge["x"] + edge["width"] <= DESK["width"]


def read_the_receipt(operator: Operator) -> None:
    """Open the newest drill, accept its receipt, say what is done about it, and open the page for auditors."""
    page = operator.visitor.open("/plugin/pgtend/kgc")
    assert faults_anywhere(page) == []
    page.get_by_role("tab", name="Drills").click()
    line = page.get_by_role("region", name="drills").get_by_role("row").nth(1)
    expect(line).to_contain_text("newest, from main")
    line.get_by_role("button", name="Look inside").click()
    inside = page.get_by_role("dialog").filter(has_text="Drill of ")
    expect(inside).to_contain_text("its signature holds")
    expect(inside).to_contain_text("Nobody has reviewed it yet.")
    expect(inside.get_by_role("region", name="checks").get_by_role("row", name="rows")).to_contain_text("passed")
    assert faults(page, "[role=dialog]") == []
    say(page, "Review", "Why? (needed unless it is accepted)", "as it should be")
    expect(inside).to_contain_text("accepted admin")
    say(page, "Corrective action", "What is done about it, by whom and until when?", "a third copy, by Ada, in May")
    expect(inside).to_contain_text("a third copy, by Ada, in May")
    with page.context.expect_page() as opened:
        inside.get_by_role("link", name="Receipt number").click()
    receipt = opened.value
    expect(receipt.get_by_role("heading", name="Restore drill of kgc")).to_be_visible()
    shown = receipt.locator("main")
    for said in ("as it should be", "a third copy, by Ada, in May"):
        expect(shown).to_contain_text(said)


def everybody_may_what_their_role_says(operator: Operator) -> None:
    """Airflow's own users and rights make our roles: by name, as the auth manager of the demo knows them."""
    words, roles = SecretWords(operator.places), dict[str, tuple[str, int]]()
    for name in ("viewer", "researcher", "op", "admin"):
        api = Api(operator.api.url)
        with api.http as http:
            api.log_in(name, words[name])
            role = http.get("/pgtend/api/v1/me").json()["role"]
            roles[name] = (role, http.get("/pgtend/api/v1/database/analysis/tables?database=kgc").status_code)
    assert roles == {
        "viewer": ("viewer", 403),
        "researcher": ("researcher", 200),
        "op": ("admin", 200),
        "admin": ("admin", 200),
    }


def say(page: Page, button: str, label: str, text: str) -> None:
    """Press a button that asks for words, write them, confirm."""
    page.get_by_role("button", name=button, exact=True).click()
    form = page.get_by_role("alertdialog")
    form.get_by_label(label).fill(text)
    form.get_by_role("button", name=button, exact=True).click()
    expect(form.get_by_role("status")).to_be_visible()
    form.get_by_role("button", name="Close").first.click()


if __name__ == "__main__":
    spend_a_day(Places.here())
