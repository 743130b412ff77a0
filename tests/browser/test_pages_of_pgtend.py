"""What a person sees of pgtend inside Airflow: the fleet, a database, a card on the home page, a tab on a pipeline."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from bed.airflow_visitor import Visitor
from bed.looks import DESK, OURS, PHONE, faults, faults_anywhere, put_into, settled

pytestmark = pytest.mark.long
# How the fleet and a database look to everybody is seen in the running demo, where there is more to show.
PATHS = {
    "/plugin/pgtend/fleet/api": "Backups",
    "/plugin/pgtend/fleet/alerts": "All alerts",
    "/": "kgc",
    "/dags/kgc.analyze/plugin/pgtend-dag": "kgc",
}


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
    cell = page.get_by_role("button", name=re.compile(r"^lab, Archive, "))
    cell.focus()
    page.keyboard.press("Enter")
    why = page.get_by_role("dialog")
    expect(why).to_contain_text("The fleet file archives nothing of it.")
    page.keyboard.press("Escape")
    expect(why).to_be_hidden()
    expect(cell).to_be_focused()


@pytest.mark.parametrize("path", PATHS)
def test_nothing_serious_keeps_anybody_out(visitor: Visitor, path: str) -> None:
    """Axe looks at every page of ours, at a desk and on a phone, in both themes; nothing is wider than the phone."""
    page = visitor.open(path)
    expect(settled(page)).to_contain_text(PATHS[path])
    assert put_into(page, "dark") != put_into(page, "light")
    assert faults_anywhere(page, (DESK, PHONE) if path.startswith("/plugin/") else (DESK,)) == []


def test_a_fault_of_a_page_is_found(visitor: Visitor) -> None:
    """What the test before relies upon: a button without a name and grey letters on grey are serious."""
    page = visitor.open("/plugin/pgtend")
    expect(page.locator(OURS)).to_contain_text("kgc")
    page.locator(OURS).evaluate(
        "here => { here.innerHTML += '<button></button><p style=\"color:#999;background:#888\">grey on grey</p>' }"
    )
    assert {fault.partition(":")[0] for fault in faults(page)} >= {"button-name", "color-contrast"}
    assert {fault.partition(":")[0] for fault in faults(page, of_colours=True)} == {"color-contrast"}
