"""Words in the reader's language, of which a page asks for hundreds, and the day on which it is written.

Django finds out the language anew for each word, and looks a Chinese text, which is its own key, up in every catalogue in
vain: together fifty times as long as a look into a dict. `install()` puts a memory in front of Django's own functions, so that
labels of models, lazy texts and templates all profit; the language is changed by Django's own means as before.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone, translation
from django.utils.translation import trans_real

_CHINA = ZoneInfo("Asia/Shanghai")
# Rows bring words along; what they bring may not fill the memory.
_MOST = 20_000


@dataclass(frozen=True, slots=True)
class _Voice:
    language: str | None
    words: dict[str, str]


_voices: dict[str, _Voice] = {}
_voice: ContextVar[_Voice | None] = ContextVar("voice", default=None)
# The day in China as a number, held while a page is written.
_held: ContextVar[int] = ContextVar("day", default=0)


def install() -> None:
    """Stand in for Django's functions of the same names, behind `django.utils.translation`."""
    front: Any = translation._trans  # type: ignore[attr-defined]
    front.gettext, front.get_language = gettext, get_language
    front.activate, front.deactivate, front.deactivate_all = _activate, _deactivate, _deactivate_all


def gettext(text: str) -> str:
    """A text in the reader's language."""
    voice = _voice.get()
    # Safe markup answers safe markup, which equals the text without being the same.
    if voice is None or type(text) is not str:
        return trans_real.gettext(text)
    said = voice.words.get(text)
    if said is None:
        if len(voice.words) >= _MOST:
            voice.words.clear()
        said = voice.words[text] = trans_real.gettext(text)
    return said


def get_language() -> str | None:
    """The language that is active in this thread."""
    voice = _voice.get()
    return trans_real.get_language() if voice is None else voice.language


@contextmanager
def one_day() -> Iterator[None]:
    """Hold the day fixed, which every instant that a page shows is compared with; may be entered again inside."""
    if _held.get():
        yield
        return
    token = _held.set(today())
    try:
        yield
    finally:
        _held.reset(token)


def today() -> int:
    """The day in China as a number (date.toordinal)."""
    return _held.get() or timezone.now().astimezone(_CHINA).toordinal()


def language_and_day() -> tuple[str | None, int]:
    """What a kept piece of a page depends on beside its arguments."""
    return get_language(), today()


def _activate(language: str) -> None:
    trans_real.activate(language)
    active = trans_real.get_language()
    if active is None:
        _voice.set(None)
        return
    voice = _voices.get(active)
    if voice is None:
        voice = _voices[active] = _Voice(active, {})
    _voice.set(voice)


def _deactivate() -> None:
    trans_real.deactivate()
    _voice.set(None)


def _deactivate_all() -> None:
    trans_real.deactivate_all()
    _voice.set(None)
