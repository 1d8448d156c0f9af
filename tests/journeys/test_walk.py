"""A walk over all pages: what an English reader finds."""

import re
from urllib.parse import quote

from playwright.sync_api import expect

from doorstep.site import messages
from tests.journeys.house import House
from tests.journeys.people import Cast, Person
from tests.journeys.screens import SCREENS, Screen, key_of

# The texts that a page shows: whole, as somebody's own sentences hold the product's words too. The first character of a name is a name.
TEXTS = """() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = new Set();
  while (walker.nextNode()) {
    const place = walker.currentNode.parentElement;
    if (!place || place.closest('script, style, template, .ds-avatar, [lang="zh-Hans"], a[href^="/language/"]')) continue;
    if (!place.checkVisibility()) continue;
    for (const piece of walker.currentNode.textContent.split('·')) if (/[\\u4e00-\\u9fff]/.test(piece)) found.add(piece.trim());
  }
  return [...found];
}"""
# Departments, diagnoses and complaints are what people wrote down, though the product has words for some of them too.
DATA = re.compile(r".*[科病炎塞死后]$|转诊中心|心悸|.*胸痛")


def speak(person: Person, language: str, path: str = "/") -> None:
    """Set the language of this person's pages, and go to one."""
    person.page.goto(f"/language/?lang={language}&next={quote(path)}")
    expect(person.page.locator("html")).to_have_attribute("lang", "en" if language == "en" else "zh-Hans")


def walk(person: Person, house: House, screen: Screen, translated: dict[str, str]) -> list[str]:
    """What is wrong with one page in English; a page whose thing does not exist here is passed by."""
    names = re.findall(r"\{(\w+)\}", screen.path)
    keys = {name: key_of(house, name) for name in names}
    if not all(keys.values()):
        return []
    path = screen.path.format_map(keys)
    if screen.before is not None:
        # Who prepares a page presses the buttons by their Chinese names.
        speak(person, "zh-hans")
        screen.before(person)
        speak(person, "en", path)
    answer = person.page.goto(path)
    wrong = [] if answer and answer.status == screen.status else [f"{path}: {answer.status if answer else 'no answer'}"]
    left = [text for text in person.page.evaluate(TEXTS) if text in translated and not DATA.fullmatch(text)]
    wide = person.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return (
        wrong
        + ([f"{screen.name} {path} says {' '.join(left)}"] if left else [])
        + ([f"{screen.name} {path} is {wide} px too wide"] if wide > 0 else [])
    )


def test_every_page_speaks_english_to_an_english_reader(cast: Cast, house: House) -> None:
    wrong: list[str] = []
    translated = messages.pairs()
    for username in dict.fromkeys(screen.username for screen in SCREENS):
        person = cast.person(username)
        speak(person, "en")
        for screen in SCREENS:
            if screen.username == username:
                wrong += walk(person, house, screen, translated)
        speak(person, "zh-hans")
    assert not wrong, "\n".join(wrong)
