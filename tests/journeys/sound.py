"""What comes out of a browser's loudspeaker: every sound of a page is also led past an analyser that remembers the loudest.

A look by the driver counts as a gesture of the person, after which the browser lets the page sound: a window that is to
stay silent is not looked at before the alarm has come, and nothing records it.
"""

import time

from playwright.sync_api import Page, expect

from tests.journeys.people import Person

LISTENING = """
window.loudest = 0;
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (target, ...rest) {
  if (target instanceof AudioDestinationNode) {
    const ear = new AnalyserNode(this.context);
    const heard = new Float32Array(ear.fftSize);
    connect.call(this, ear);
    setInterval(() => { ear.getFloatTimeDomainData(heard); window.loudest = Math.max(window.loudest, ...heard.map(Math.abs)); }, 10);
  }
  return connect.call(this, target, ...rest);
};
"""
SOUND_OFF = "[data-sound]"
# A fifth of what the alarm plays at; silence is exactly 0.
AUDIBLE = 0.05
# How long the sound lasts, and how long a tab needs to find out that it may not play it.
TONE_MS = 1500


class Listener:
    """A fresh window of a person who is logged in, in which nobody has clicked yet: the browser keeps it silent."""

    def __init__(self, person: Person, path: str) -> None:
        browser = person.context.browser
        assert browser is not None
        self.window = browser.new_context(base_url=person.house.address, storage_state=person.context.storage_state())
        self.page: Page = self.window.new_page()
        self.page.add_init_script(LISTENING)
        self.page.goto(path)

    def then_it_says_that_it_is_silent(self) -> None:
        """Beside the bell, with a button."""
        expect(self.page.locator(SOUND_OFF)).to_be_visible()

    def when_i_turn_the_sound_on(self) -> None:
        """One press, and the offer goes away."""
        self.page.locator(SOUND_OFF).click()
        expect(self.page.locator(SOUND_OFF)).to_be_hidden()
        self.then_i_hear_it()
        self.page.wait_for_timeout(TONE_MS)
        self.page.evaluate("window.loudest = 0")

    def then_i_hear_it(self) -> None:
        """A signal that is not zero reached the loudspeaker."""
        # Asked again and again from here: the page's own policy forbids a test that it would evaluate itself.
        for _try in range(300):
            if self.page.evaluate("window.loudest") > AUDIBLE:
                return
            self.page.wait_for_timeout(100)
        raise AssertionError("nothing was heard")

    def then_the_alarm_offers_its_sound(self) -> None:
        """Where the browser still forbids it the dialog says so, and the press makes up for it."""
        time.sleep(TONE_MS / 1000)
        offer = self.page.locator("dialog[open] .ds-sound")
        expect(offer).to_contain_text("尚未允许提示音")
        assert self.page.evaluate("window.loudest") == 0
        offer.get_by_role("button").click()
        self.then_i_hear_it()
        expect(offer).to_have_count(0)
