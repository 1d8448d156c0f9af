"""Pictures of every page as every role, at a desk and on a phone: bin/screens [DATA:PORT] writes them to build/screens.

Without an address it starts a county of its own. The few that the readme shows go to docs/screens.
"""

import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.journeys.conftest import FLAGS, ROOT
from tests.journeys.house import House, free_port
from tests.journeys.people import DESK, PHONE, Person

STAFF = (
    "village", "ecg1", "duty", "leadduty", "office", "expert", "family", "nurse", "manager", "auditor", "registrar",
)  # fmt: skip
RESIDENTS = ("zhou", "daughter")
# What the readme shows: (role, address, size) by the picture's name.
CHOSEN = {
    ("village", "/", DESK): "home",
    ("ecg1", "/ecg/", DESK): "ecg-queue",
    ("manager", "/indicators/", DESK): "indicators",
    ("zhou", "/me/", PHONE): "phone",
}
# Lists whose newest thing is a page of its own.
THINGS = {
    "ecg-reading": (
        "ecg1",
        "SELECT '/ecg/orders/' || key || '/' FROM diagnosis_ecgorder ORDER BY created_at DESC LIMIT 1",
    ),
    "referral": (
        "expert",
        "SELECT '/referrals/' || key || '/' FROM referrals_referral WHERE resident_id = 1 ORDER BY created_at DESC LIMIT 1",
    ),
    "timeline": ("village", "SELECT '/residents/' || key || '/' FROM residents_resident WHERE id = 1"),
}


@contextlib.contextmanager
def running(given: str) -> Iterator[House]:
    """The installation at this address, or a new one."""
    if given:
        directory, _, port = given.rpartition(":")
        yield House(Path(directory), int(port))
        return
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        house = House(Path(folder) / "data", free_port())
        try:
            house.start()
            yield house
        finally:
            house.stop()


def take(person: Person, path: str, name: str, *, chosen: str = "") -> None:
    """Both pictures of one page."""
    for size in (DESK, PHONE):
        person.page.set_viewport_size({"width": size[0], "height": size[1]})
        person.page.goto(path)
        person.page.wait_for_timeout(400)
        target = ROOT / "build/screens" / f"{person.username}-{name}-{size[0]}.png"
        person.page.screenshot(path=target)
        wanted = chosen or CHOSEN.get((person.username, path, size), "")
        if wanted and (size == PHONE) == (person.username in RESIDENTS):
            person.page.screenshot(path=ROOT / "docs/screens" / f"{wanted}.png")


def main(given: str) -> None:
    """Walk the navigation of everybody."""
    for folder in ("build/screens", "docs/screens"):
        (ROOT / folder).mkdir(parents=True, exist_ok=True)
    with running(given) as house, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        for username in (*STAFF, *RESIDENTS):
            person = Person(browser, house, username)
            links = person.page.eval_on_selector_all("nav a[href^='/']", "all => all.map(a => a.getAttribute('href'))")
            for path in dict.fromkeys(["/", *links]):
                take(person, path, path.strip("/").replace("/", "-") or "home")
            for name, (owner, query) in THINGS.items():
                rows = house.sql(query) if owner == username else []
                if rows:
                    take(person, rows[0][0], name, chosen=name)
            person.leave()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
