"""What a reader of the ECG centre does, with the keyboard alone."""

import re

from playwright.sync_api import Page, expect

from tests.journeys.people import Cast, Person
from tests.journeys.tracings import NAME

INKED = """canvas => {
  const picture = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  let inked = 0;
  for (let at = 0; at < picture.length; at += 4) if (picture[at + 3] > 0 && picture[at] + picture[at + 1] + picture[at + 2] < 300) inked++;
  return inked;
}"""


class EcgReader:
    """许明哲 or 沈雅琴."""

    def __init__(self, cast: Cast, username: str) -> None:
        self.me: Person = cast.person(username)
        self.page: Page = self.me.page

    def then_it_is_on_top_of_the_queue(self) -> None:
        """The pre-read sorts the queue; the page follows by itself."""
        first = self.page.locator("#work-list li").first
        expect(first).to_contain_text(NAME)
        # A worker's first pre-read loads its numerics; the report's suggestions come from it.
        for _second in range(60):
            if "ST 段" in first.inner_text():
                break
            self.page.wait_for_timeout(1000)
            self.page.reload()
        expect(first).to_contain_text("ST 段")

    def when_i_look_at(self, key: str) -> None:
        """Open a case."""
        self.me.go(f"/ecg/orders/{key}/case/")

    def when_i_claim(self) -> None:
        """Alt C, unless it is in my hands already."""
        if not self.page.locator("form[data-ecg-report]").count():
            self.page.keyboard.press("Alt+c")
        expect(self.page.locator("form[data-ecg-report]")).to_be_visible()

    def then_it_is_taken_by(self, name: str) -> None:
        """The other reader sees who has it and cannot claim it."""
        self.me.see(f"{name} 判读中")
        expect(self.page.get_by_role("button", name=re.compile("领取判读"))).to_have_count(0)

    def then_the_leads_are_drawn(self) -> None:
        """There is ink on the sheet, and the page says the scale."""
        canvas = self.page.locator("ecg-viewer canvas").first
        expect(canvas).to_be_visible()
        self.page.wait_for_timeout(500)
        assert canvas.evaluate(INKED) > 2000
        expect(self.page.get_by_role("img", name="25 mm/s，10 mm/mV").first).to_be_visible()
        self.me.check_page()

    def when_i_write_the_report_with_the_keyboard(self) -> None:
        """Phrases by their keys, findings made from them, the critical value, the signature."""
        keys = self.page.keyboard
        # The machine's figures come by themselves into a case that was opened before they were there.
        expect(self.page.locator("[name=heart_rate]")).not_to_have_value("", timeout=60_000)
        keys.press("Alt+m")
        if not self.page.locator("[name=measurements_confirmed]").is_checked():
            keys.press("Space")
        keys.press("Alt+f")
        for phrase in ("ra", "ia"):
            keys.type(phrase)
            keys.press("Enter")
        keys.press("Alt+g")
        keys.press("Alt+d")
        keys.press("ArrowDown")
        expect(self.page.locator("[name=conclusion_text]")).to_have_value(re.compile("急性下壁心肌梗死可能"))
        expect(self.page.locator("[name=findings_text]")).not_to_have_value("")
        expect(self.page.locator("[name=critical_code]")).to_have_value("acs_stemi")

    def and_i_sign(self) -> None:
        """Ctrl Enter, and Enter once more to the question."""
        self.page.keyboard.press("Control+Enter")
        expect(self.page.locator("dialog[open]")).to_be_visible()
        self.page.keyboard.press("Enter")
        expect(self.page).to_have_url(re.compile(r"/ecg/orders/[0-9a-f-]{36}/$"), timeout=30_000)
        self.me.see("已签发")
        self.me.check_page()

    def then_i_learn_the_outcome(self, text: str) -> None:
        """The page of outcomes says how it ended."""
        self.me.go("/ecg/outcomes/")
        expect(self.page.locator("main table")).to_contain_text(text)
        self.me.check_page()
