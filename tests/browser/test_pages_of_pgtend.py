"""What a person sees of pgtend inside Airflow: the fleet, a database, a card on the home page, a tab on a pipeline."""

from __future__ import annotations

from collections.abc import Generator
from typing import cast

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from bed.airflow_site import JsonValue
from bed.airflow_visitor import PATIENCE, Stage, Visitor

pytestmark = pytest.mark.timeout(300)
OURS = "#pgtend"
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
PATHS = ("/plugin/pgtend", "/plugin/pgtend/kgc", "/", "/dags/kgc.analyze/plugin/pgtend-dag")


def faults(page: Page, part: str = OURS) -> list[str]:
    """Name what axe finds wrong in our part of a page, if it is serious."""
    found = cast("list[dict[str, JsonValue]]", Axe().run(page, context=part).response["violations"])
    return [f"{one['id']}: {one['help']} ({one['nodes']})" for one in found if one["impact"] in {"serious", "critical"}]


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    """Give both themes, one after the other."""
    return str(request.param)


@pytest.fixture
def reader(stage: Stage, browser: Browser, scheme: str) -> Generator[Visitor]:
    """Give a window of a person who is logged in and has chosen a theme; its console may not complain."""
    with browser.new_context(viewport=DESK, color_scheme=scheme) as context:  # type: ignore[arg-type] - one of two words
        context.set_default_timeout(PATIENCE)
        token = str(stage.site.api.headers["Authorization"]).removeprefix("Bearer ")
        context.add_cookies([{"name": "_token", "value": token, "url": stage.site.address}])
        context.add_init_script(f"localStorage.setItem('theme', '{scheme}')")
        visitor = Visitor(context.new_page(), stage.site.address)
        visitor.page.on("console", lambda message: visitor.listen(message))  # noqa: PLW0108 - Playwright writes on bound methods
        visitor.page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
        yield visitor
        assert visitor.complaints == []


def test_from_the_menu_to_a_database_and_back(visitor: Visitor) -> None:
    """The menu leads to the fleet, a row to its database, its tabs to all that is known, and each has an address."""
    page = visitor.open("/")
    page.get_by_role("link", name="Databases", exact=True).click()
    expect(page.get_by_role("heading", name="Databases")).to_be_visible()
    expect(page.locator("[data-database]")).to_have_count(2)
    page.get_by_role("link", name="lab", exact=True).first.click()
    expect(page).to_have_url(f"{visitor.address}/plugin/pgtend/lab")
    expect(page.get_by_role("heading", name="What was done")).to_be_visible()
    tabs = [tab.inner_text() for tab in page.get_by_role("tab").all()]
    for tab in tabs:
        page.get_by_role("tab", name=tab).click()
        expect(page.get_by_role("tabpanel")).to_be_visible()
        expect(page.locator(OURS).get_by_role("alert")).to_have_count(0)
    assert {"Overview", "Backups", "Statements", "Runs", "Alerts"} <= set(tabs)
    page.reload()
    expect(page.get_by_role("tab", name=tabs[-1])).to_have_attribute("aria-selected", "true")
    page.get_by_role("link", name="All databases").click()
    expect(page).to_have_url(f"{visitor.address}/plugin/pgtend")


def test_every_cell_says_why_by_keyboard_alone(visitor: Visitor) -> None:
    """The tab key reaches it, Enter opens it, Escape closes it."""
    page = visitor.open("/plugin/pgtend")
    cell = page.get_by_role("button", name="kgc, Backup, not known")
    cell.focus()
    page.keyboard.press("Enter")
    why = page.get_by_role("dialog")
    expect(why).to_contain_text("No vault was looked through yet.")
    expect(why.get_by_role("link", name="Look closer")).to_be_visible()
    page.keyboard.press("Escape")
    expect(why).to_be_hidden()
    expect(cell).to_be_focused()


def test_work_is_started_from_the_page_and_seen_to_end(stage: Stage, visitor: Visitor) -> None:
    """The button asks first, Airflow runs it in the name of this person, and the page shows how it ended."""
    stage.site.patch("dags/kgc.analyze", is_paused=False)
    page = visitor.open("/plugin/pgtend/kgc")
    page.get_by_role("button", name="Analyze now").click()
    asked = page.get_by_role("alertdialog")
    expect(asked).to_contain_text("Renews the statistics of tables that need it.")
    assert faults(page, "[role=alertdialog]") == []
    asked.get_by_role("button", name="Analyze now").click()
    run_id = asked.get_by_role("link").inner_text()
    assert stage.site.finish("kgc.analyze", run_id) == "success"
    asked.get_by_role("button", name="Close").first.click()
    page.get_by_role("tab", name="Runs").click()
    line = page.get_by_role("region", name="runs").get_by_role("row", name="analyze succeeded")
    expect(line.first).to_contain_text("airflow:admin")
    with page.expect_response("**/audit?target=kgc*") as answer:
        page.evaluate("fetch('/pgtend/api/v1/audit?target=kgc&most=20')")
    actions = [entry["action"] for entry in answer.value.json()["items"]]
    assert actions[-1] == "page.started"


def test_a_failure_is_red_until_somebody_is_on_it_and_green_when_it_recovers(stage: Stage, visitor: Visitor) -> None:
    """The row of the database turns red with the reason, yellow by an acknowledgement, green by the next good run."""
    owner = str(stage.site.environ["AIRFLOW_CONN_LAB"]).partition('"login": "')[2].partition('"')[0]
    stage.lab.run("ALTER TABLE public.visits OWNER TO postgres")
    assert stage.site.finish("lab.analyze", stage.site.trigger("lab.analyze")) == "failed"
    page = visitor.open("/plugin/pgtend")
    expect(page.get_by_role("status")).to_contain_text("lab needs somebody now.")
    expect(page.locator("[data-database]").first).to_have_attribute("data-database", "lab")
    page.get_by_role("button", name="lab, Open alerts, needs somebody now: 1 open").click()
    page.get_by_role("dialog").get_by_role("link", name="Look closer").click()
    page.get_by_role("region", name="alerts").get_by_role("button", name="Acknowledge").click()
    form = page.get_by_role("alertdialog")
    form.get_by_label("What should colleagues know?").fill("asking the owner")
    form.get_by_role("button", name="Acknowledge").click()
    expect(form).to_contain_text("Acknowledged: your colleagues see it")
    form.get_by_role("button", name="Close").first.click()
    line = page.get_by_role("region", name="alerts").get_by_role("row", name="acknowledged")
    expect(line).to_contain_text("by admin")
    expect(line).to_contain_text("asking the owner")
    stage.lab.run(f'ALTER TABLE public.visits OWNER TO "{owner}"')
    assert stage.site.finish("lab.analyze", stage.site.trigger("lab.analyze")) == "success"
    stage.site.wait(
        "the recovery",
        lambda: not page.request.get(f"{visitor.address}/pgtend/api/v1/alerts?database=lab").json()["items"],
        patience=60,
    )
    visitor.open("/plugin/pgtend")
    expect(page.get_by_role("button", name="lab, Open alerts, fine: none")).to_be_visible()


def test_nothing_serious_keeps_anybody_out(reader: Visitor) -> None:
    """Axe looks at every page of ours, at a desk and on a phone, in both themes; nothing is wider than the phone."""
    for size, paths in ((DESK, PATHS), (PHONE, PATHS[:2])):
        reader.page.set_viewport_size(size)  # type: ignore[arg-type] - width and height
        for path in paths:
            page = reader.open(path)
            expect(page.locator(OURS)).to_contain_text("kgc")
            expect(page.locator(f"{OURS} [aria-busy]")).to_have_count(0)
            assert faults(page) == [], (path, size)
            overhang = "element => element.scrollWidth - element.clientWidth"
            assert page.locator(OURS).evaluate(overhang) <= 1, (path, size)


def test_a_fault_of_a_page_is_found(visitor: Visitor) -> None:
    """What the test before relies upon: a button without a name and grey letters on grey are serious."""
    page = visitor.open("/plugin/pgtend")
    expect(page.locator(OURS)).to_contain_text("kgc")
    page.locator(OURS).evaluate(
        "here => { here.innerHTML += '<button></button><p style=\"color:#999;background:#888\">grey on grey</p>' }"
    )
    assert {fault.partition(":")[0] for fault in faults(page)} >= {"button-name", "color-contrast"}
