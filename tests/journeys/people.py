"""People with a browser each, who log in as people do."""

import contextlib
import re
import time
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.journeys.house import House

DESK = (1366, 768)
PHONE = (390, 844)
# Whoever has not logged in.
NOBODY = "nobody"
RESIDENTS = ("zhou", "daughter")
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
# An open answer of the live process never ends, so "networkidle" is never reached: pages count as there when loaded.
PATIENCE_MS = 20_000
CODE_SECONDS = 30


class Person:
    """One person at one browser; `page` is the first tab."""

    def __init__(self, browser: Browser, house: House, username: str, *, size: tuple[int, int] = DESK) -> None:
        self.house = house
        self.username = username
        self.complaints: list[str] = []
        self.context: BrowserContext = browser.new_context(
            base_url=house.address,
            viewport={"width": size[0], "height": size[1]},
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            has_touch=size == PHONE,
        )
        self.context.set_default_timeout(PATIENCE_MS)
        self.context.tracing.start(snapshots=True)
        self.page = self.tab()
        if username != NOBODY:
            self.log_in()

    def tab(self) -> Page:
        """Another tab of this person's browser."""
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        return page

    def log_in(self) -> None:
        """User name, password, and for staff the code of the second factor, which a demo shows on the page."""
        page = self.page
        page.goto("/accounts/login/")
        page.fill("[name=login]", self.username)
        page.fill("[name=password]", self.house.password())
        page.click("form[data-login] button[type=submit], form[data-login] button.btn-primary")
        if self.username not in RESIDENTS:
            for _ in range(3):
                page.fill("[name=code]", page.locator("[data-demo-code]").inner_text().strip())
                page.locator("form.ds-form button.btn-primary").first.click()
                page.wait_for_load_state()
                if "/2fa/" not in page.url:
                    break
                # A code counts once; the next one comes with the next half minute.
                time.sleep(CODE_SECONDS - time.time() % CODE_SECONDS + 0.5)
                page.reload()
        expect(page).not_to_have_url(re.compile("/accounts/"))

    def go(self, path: str) -> None:
        """Open a page, which must answer 200 and be fit to be used by everybody."""
        answer = self.page.goto(path)
        assert answer is not None
        assert answer.status == 200, f"{path}: {answer.status}"

    def see(self, text: str) -> Locator:
        """A text that must be on the page, visible."""
        found = self.page.get_by_text(text).locator("visible=true").first
        expect(found).to_be_visible()
        return found

    def press(self, name: str) -> None:
        """Press the button or follow the link of this name."""
        pattern = re.compile(rf"^\s*{re.escape(name)}")
        button = self.page.get_by_role("button", name=pattern).or_(self.page.get_by_role("link", name=pattern))
        button.locator("visible=true").first.click()
        self.page.wait_for_load_state()

    def confirm(self) -> None:
        """Say yes to the question of an irreversible act."""
        self.page.locator("dialog[open] .btn-primary").first.click()
        self.page.wait_for_load_state()

    def check_page(self) -> None:
        """No serious obstacle for anybody, no part of the page beyond the window's edge."""
        found = Axe().run(self.page, options=RULES)
        worst = [
            f"{one['id']} ({one['impact']}): {[node['html'][:160] for node in one['nodes'][:3]]}"
            for one in found.response["violations"]
            if one["impact"] in ("serious", "critical")
        ]
        wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            worst.append(f"the page is {wide} px wider than the window")
        self.complaints += [f"{self.username} {self.page.url} {line}" for line in worst]

    def leave(self) -> None:
        """Close the browser's windows."""
        self.context.close()


class Cast:
    """Everybody of the journeys; each logs in at the first call and stays."""

    def __init__(self, browser: Browser, house: House) -> None:
        self.browser = browser
        self.house = house
        self.people: dict[str, Person] = {}

    def person(self, username: str) -> Person:
        """The person of this account."""
        if username not in self.people:
            size = PHONE if username in RESIDENTS else DESK
            self.people[username] = Person(self.browser, self.house, username, size=size)
        return self.people[username]

    def complaints(self) -> list[str]:
        """What was wrong with pages on the way; asking forgets it."""
        found = [line for person in self.people.values() for line in person.complaints]
        for person in self.people.values():
            person.complaints = []
        return found

    def keep(self, folder: Path) -> None:
        """Keep what everybody saw when a journey failed: a picture of each tab, a trace of each browser."""
        folder.mkdir(parents=True, exist_ok=True)
        for username, person in self.people.items():
            with contextlib.suppress(Exception):
                for number, page in enumerate(person.context.pages):
                    page.screenshot(path=folder / f"{username}-{number}.png")
                    (folder / f"{username}-{number}.html").write_text(f"{page.url}\n{page.content()}", encoding="utf-8")
                person.context.tracing.stop(path=folder / f"{username}.zip")
                person.context.tracing.start(snapshots=True)

    def leave(self) -> None:
        """Everybody goes home."""
        for person in self.people.values():
            person.leave()
