"""Words in the reader's language while a page is written, which asks for hundreds of them.

Finding out the language takes several times longer than finding a word. Inside `one_language()` it is found out once; nothing may
change the language there.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.utils import timezone, translation

from doorstep.kernel.web.formats import CHINA

# Rows bring words along; what they bring may not fill the memory.
_MOST = 20_000
_words: dict[str, dict[str, str]] = {}


class _Voice(threading.local):
    words: dict[str, str] | None = None
    # Language and day: what a kept piece of a page depends on beside its arguments.
    day: tuple[str, int] | None = None


_voice = _Voice()


@contextmanager
def one_language() -> Iterator[None]:
    """Hold the language of this thread fixed, and the day; may be entered again inside."""
    if _voice.words is not None:
        yield
        return
    language = translation.get_language() or ""
    words = _words.setdefault(language, {})
    if len(words) > _MOST:
        words.clear()
    _voice.words, _voice.day = words, (language, _today())
    try:
        yield
    finally:
        _voice.words = _voice.day = None


def gettext(text: str) -> str:
    """A text in the reader's language."""
    words = _voice.words
    if words is None:
        return translation.gettext(text)
    said = words.get(text)
    if said is None:
        said = words[text] = translation.gettext(text)
    return said


def language_and_day() -> tuple[str, int]:
    """The language and the day in China as a number."""
    return _voice.day or (translation.get_language() or "", _today())


def _today() -> int:
    return timezone.now().astimezone(CHINA).toordinal()
