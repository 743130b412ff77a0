"""One running Airflow and one browser for everything a person looks at."""

from __future__ import annotations

from collections.abc import Generator

import pytest
from playwright.sync_api import Browser, expect

from bed.airflow_visitor import PATIENCE, Stage, Visitor
from bed.clusters import Clusters
from demo.pictures import chromium


@pytest.fixture(scope="package")
def stage(clusters: Clusters) -> Generator[Stage]:
    """Start Airflow once for everything a person looks at."""
    with Stage.started(clusters.server(15)) as started:
        yield started


@pytest.fixture(scope="package")
def browser() -> Generator[Browser]:
    """Start the browser once; every test gets a window of its own, without cookies of another."""
    expect.set_options(timeout=PATIENCE)
    with chromium() as running:
        yield running


@pytest.fixture
def stranger(stage: Stage, browser: Browser) -> Generator[Visitor]:
    """Give a window in which nobody is logged in; no page shown in it may complain on the console."""
    with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
        context.set_default_timeout(PATIENCE)
        visitor = Visitor(context.new_page(), stage.site.address)
        visitor.page.on("console", lambda message: visitor.listen(message))  # noqa: PLW0108 - Playwright writes on bound methods
        visitor.page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
        yield visitor
        assert visitor.complaints == []


@pytest.fixture
def visitor(stage: Stage, stranger: Visitor) -> Visitor:
    """Give a window in which a person is logged in."""
    token = str(stage.site.api.headers["Authorization"]).removeprefix("Bearer ")
    stranger.page.context.add_cookies([{"name": "_token", "value": token, "url": stage.site.address}])
    return stranger
