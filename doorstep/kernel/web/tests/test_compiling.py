from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.utils import translation
from jinja2 import Environment, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from doorstep.kernel.web import speaking
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


def test_words_follow_the_language_outside_and_are_held_inside() -> None:
    with language("en"):
        english = speaking.gettext("主任医师")
        with speaking.one_language():
            assert speaking.gettext("主任医师") == speaking.gettext("主任医师") == english != "主任医师"
            assert speaking.language_and_day()[0] == "en"
            with speaking.one_language():
                assert speaking.gettext("主任医师") == english
            assert speaking.language_and_day()[0] == "en"
    with language("zh-hans"), speaking.one_language():
        assert speaking.gettext("主任医师") == "主任医师"
    with language("en"):
        assert speaking.gettext("主任医师") == english
