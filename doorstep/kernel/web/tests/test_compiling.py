from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
from django.conf import settings
from django.utils import timezone, translation
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy
from jinja2 import Environment, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from doorstep.kernel.web import formats, speaking
from doorstep.kernel.web.compiling import LeanEnvironment

_VALUES = {
    "text": "<b> & 'x' \"y\"",
    "markup": Markup("<i>ok</i>"),
    "number": 5,
    "nothing": None,
    "items": ["<a>", Markup("<u>")],
    "add": lambda one, two=1: one + two,
}
_PAGE = """{% macro card(title, tone="plain") %}<p class="{{ tone }}">{{ title }}{{ caller() if caller is defined }}</p>{% endmacro %}
{{ text }}|{{ markup }}|{{ number }}|{{ nothing }}|{{ text|upper }}|{{ add(number) }}|{{ add(1, two=2) }}|{{ text ~ markup }}
{% for one in items %}{{ loop.index }} {{ card(one, tone=text) }}{% call card(markup) %}{{ one }}{% endcall %}{% set two = one %}{{ named("two") }}{% endfor %}
{% set kept %}<s>{{ text }}</s>{% endset %}{{ kept }}{{ items|join(", ") }}{% block part %}{{ text }}{% endblock %}{{ self.part() }}"""


@pass_context
def named(context: Context, name: str) -> object:
    return context[name]


def written(kind: type[Environment]) -> str:
    made = kind(autoescape=True, trim_blocks=True)
    return made.from_string(_PAGE).render(**_VALUES, named=named)


def test_a_page_is_what_jinja_writes() -> None:
    assert written(LeanEnvironment) == written(Environment)


def test_what_raises_inside_a_call_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        LeanEnvironment(autoescape=True).from_string("{{ f() }}").render(f=lambda: 1 / 0)


@contextmanager
def language(code: str) -> Iterator[None]:
    with translation.override(code):
        yield


def test_words_follow_the_language_wherever_it_is_changed() -> None:
    lazy = gettext_lazy("主任医师")
    with language("en"):
        english = translation.gettext("主任医师")
        assert english == str(lazy) == speaking.gettext("主任医师") != "主任医师"
        with language("zh-hans"):
            assert translation.gettext("主任医师") == str(lazy) == "主任医师"
            assert (translation.get_language(), speaking.language_and_day()[0]) == ("zh-hans", "zh-hans")
        assert (translation.gettext("主任医师"), translation.get_language()) == (english, "en")
        # Another thread has a language of its own, the house's one.
        with ThreadPoolExecutor(1) as other:
            assert other.submit(translation.gettext, "主任医师").result() == "主任医师"
        translation.deactivate()
        assert (str(lazy), translation.get_language()) == ("主任医师", settings.LANGUAGE_CODE)
        with translation.override(None):
            assert translation.gettext("主任医师") == "主任医师"
            assert translation.get_language() is None


def test_what_was_safe_markup_is_safe_markup_afterwards() -> None:
    with language("en"):
        assert type(translation.gettext("主任医师")) is str
        assert isinstance(translation.gettext(mark_safe("主任医师")), SafeString)
        assert translation.gettext("") == ""


def test_a_day_is_held_while_a_page_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    evening = datetime(2026, 11, 22, 15, 59, tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: evening)
    with speaking.one_day():
        # Midnight in China passes; the lines of one page do not disagree about it.
        monkeypatch.setattr(timezone, "now", lambda: evening + timedelta(minutes=2))
        assert speaking.today() == date(2026, 11, 22).toordinal()
        with speaking.one_day():
            assert formats.moment_short(evening).endswith("23:59")
        assert formats.moment_short(evening, evening + timedelta(minutes=2)) != formats.moment_short(evening)
    assert speaking.today() == date(2026, 11, 23).toordinal()
