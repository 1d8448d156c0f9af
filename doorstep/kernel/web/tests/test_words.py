"""Words on pages: what rows bring along is a text, never markup and never a format."""

import pytest
from django.utils import translation
from markupsafe import Markup

from doorstep.kernel.web.templating import environment


def said(template: str, **values: object) -> str:
    with translation.override("zh-hans"):
        return environment().from_string(template).render(**values)


@pytest.mark.parametrize("text", ["<img src=x onerror=alert(1)>", "主任医师 & <b>"])
def test_a_typed_text_is_not_markup(text: str) -> None:
    assert "<" not in said("{{ _(text) }}", text=text)


@pytest.mark.parametrize("text", ["%", "5%", "100%(x)s", "%%"])
def test_a_percent_sign_is_a_sign(text: str) -> None:
    assert said("{{ _(text) }}", text=text) == text


def test_variables_are_filled_in_and_stay_text() -> None:
    assert said("{{ _('%(name)s 判读中', name=name) }}", name="<i>") == "&lt;i&gt; 判读中"


def test_markup_may_be_filled_in_and_is_the_only_markup() -> None:
    assert said("{{ _('%(name)s & 判读中', name=name) }}", name=Markup("<b>何静</b>")) == "<b>何静</b> &amp; 判读中"
    mixed = said("{{ _('%(one)s %(two)s', one=one, two=two) }}", one=Markup("<b>1</b>"), two="<i>")
    assert mixed == "<b>1</b> &lt;i&gt;"


def test_an_english_reader_gets_english() -> None:
    with translation.override("en"):
        assert environment().from_string("{{ _(text) }}").render(text="主任医师") != "主任医师"
