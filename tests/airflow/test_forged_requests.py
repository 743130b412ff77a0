"""A web site that somebody visits while logged in cannot act in that person's name."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bed.face import Face
from pgtend.kernel.times import utc_now
from pgtend_airflow.web.app import VERSION
from pgtend_airflow.web.forgery import HEADER, token_for

ACKNOWLEDGE = f"{VERSION}/databases/kgc/alerts/7/acknowledge"


def send(face: Face, headers: dict[str, str], login: str = "ada") -> tuple[int, str]:
    """Write as a browser does: with the cookie of a login, and these headers."""
    face.client.cookies.set("_token", face.token(login, "operator"))
    answer = face.client.post(ACKNOWLEDGE, json={}, headers=headers)
    face.client.cookies.clear()
    return answer.status_code, answer.json()["code"]


def test_a_cookie_alone_does_not_write(face: Face) -> None:
    """A browser sends the cookie along with whatever any page makes it send."""
    assert send(face, {}) == (403, "web.forged")


def test_the_token_of_the_same_person_lets_a_page_write(face: Face) -> None:
    """It is the one that `/me` gives; the alert does not exist, which only somebody learns who was let in."""
    face.client.cookies.set("_token", face.token("ada", "operator"))
    mine = face.client.get(f"{VERSION}/me").json()["token"]
    assert send(face, {HEADER: mine}) == (404, "web.not_found")


@pytest.mark.usefixtures("face")
def test_the_token_of_another_person_does_not(face: Face) -> None:
    """Eve may log in as herself and read her own token; it is worth nothing beside the cookie of Ada."""
    assert send(face, {HEADER: token_for("eve")}) == (403, "web.forged")


def test_a_token_is_good_for_a_day_at_most(face: Face) -> None:
    """One of this morning still writes in the evening, one of the day before yesterday does not."""
    now = utc_now()
    assert send(face, {HEADER: token_for("ada", now - timedelta(hours=12))}) == (404, "web.not_found")
    assert send(face, {HEADER: token_for("ada", now - timedelta(hours=48))}) == (403, "web.forged")


def test_a_browser_that_names_another_site_is_refused(face: Face) -> None:
    """Also with the right token."""
    headers = {HEADER: token_for("ada"), "Sec-Fetch-Site": "cross-site"}
    assert send(face, headers) == (403, "web.forged")


def test_a_program_with_a_bearer_token_needs_no_other(face: Face) -> None:
    """No browser adds that header by itself."""
    assert face.post("/databases/kgc/alerts/7/acknowledge", {}).status_code == 404
