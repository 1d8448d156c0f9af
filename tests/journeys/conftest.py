"""One installation and one browser for all journeys of a run.

JOURNEYS_AT="/path/of/data:8000" uses an installation that already runs, which saves its start while one writes a journey.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.journeys.house import House, free_port
from tests.journeys.people import Cast

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every journey, and keep them in one process: they share an installation and walk in order."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.journey)
            item.add_marker(pytest.mark.xdist_group("journeys"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Keep pictures and traces of a journey that failed."""
    report = yield
    cast = getattr(item, "funcargs", {}).get("cast")
    if report.when == "call" and report.failed and isinstance(cast, Cast):  # type: ignore[attr-defined]
        cast.keep(ROOT / "build/journeys" / item.name)
    return report


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    """A running demo county."""
    given = os.environ.get("JOURNEYS_AT", "")
    if given:
        directory, _, port = given.rpartition(":")
        yield House(Path(directory), int(port))
        return
    with tempfile.TemporaryDirectory(prefix="doorstep-journeys-", ignore_cleanup_errors=True) as folder:
        started = House(Path(folder) / "data", free_port())
        try:
            started.start()
            yield started
        finally:
            started.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def everybody(browser: Browser, house: House) -> Iterator[Cast]:
    """The people, logged in once for all journeys."""
    cast = Cast(browser, house)
    yield cast
    cast.leave()


@pytest.fixture
def cast(everybody: Cast) -> Iterator[Cast]:
    """The people; after the journey no page that they saw may have been unfit for anybody."""
    everybody.complaints()
    yield everybody
    found = everybody.complaints()
    assert not found, "\n".join(dict.fromkeys(found))
