"""Each component, rendered alone."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django import forms
from django.test import RequestFactory
from django.utils import translation
from jinja2 import UndefinedError

from doorstep.kernel.web.assets import UnknownIcon
from doorstep.kernel.web.field_presenter import sentences_of
from doorstep.kernel.web.gallery import SampleForm
from doorstep.kernel.web.pages import environment

AT = datetime(2026, 11, 22, 0, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
def chinese() -> None:
    translation.activate("zh-hans")


def draw(source: str, **context: Any) -> str:
    return environment().from_string(source).render(context)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ ui.button('签发', kind='primary', shortcut='alt+s') }}", 'data-shortcut="alt+s"'),
        ("{{ ui.button('看', href='/x') }}", '<a class="btn" href="/x"'),
        ("{{ ui.button('作废', confirm='确定吗') }}", 'data-confirm="确定吗"'),
        ("{{ ui.button('发', attributes={'hx-post': '/x'}) }}", 'hx-post="/x"'),
        ("{{ ui.tag('危急', 'critical', icon='urgent') }}", "ds-tag is-critical"),
        (
            "{% call ui.timeline() %}{{ ui.event(at, '签发', who='何敏') }}{% endcall %}",
            'datetime="2026-11-22T00:05:00+00:00"',
        ),
        (
            "{% call ui.dialog('d', '退回') %}x{% endcall %}",
            '<dialog class="ds-dialog" id="d" aria-labelledby="d-title"',
        ),
        ("{% call ui.card('体征', id='c', hint='今天') %}x{% endcall %}", '<section class="ds-card" id="c">'),
        ("{{ ui.facts([('血压', '120/80'), ('体温', none)]) }}", "<dd>—</dd>"),
        (
            "{{ ui.tabs([{'label': '心电', 'href': '/e', 'active': true, 'count': 0}]) }}",
            'aria-current="page">心电<b>0</b>',
        ),
        ("{{ ui.empty('没有待办', '稍后再看') }}", "稍后再看"),
        ("{{ ui.alert('请核对', 'warn', title='注意') }}", 'role="alert"'),
        ("{{ ui.steps([{'label': '接收', 'state': 'now'}]) }}", 'aria-current="step"'),
        ("{{ ui.avatar('陈桂芳') }}", ">陈</span>"),
        ("{{ ui.toast('已保存', 'success') }}", "ds-toast is-success"),
        ("{{ ui.kbd('Alt', 'S') }}", "<kbd>Alt</kbd> + <kbd>S</kbd>"),
        ("{{ ui.stat('按时', 93, '%', share=0.93) }}", '<progress max="1" value="0.9300"'),
        ("{{ ui.stat('按时', 93, href='/cases') }}", '<a class="ds-stat is-neutral" href="/cases">'),
        ("{{ ui.chart('/c.json', '判读量') }}", '<echart-view data-src="/c.json"'),
        ("{{ ui.qr('https://example.invalid/1', '扫码核验') }}", "<figcaption>扫码核验</figcaption>"),
        ("{{ ui.lookup('q', '诊断', '/find') }}", 'hx-get="/find"'),
        ("{{ ui.skeleton(2) }}", "<i></i><i></i>"),
        ("{% call ui.listing('待办') %}{{ ui.item('/1', '陈', active=true) }}{% endcall %}", 'aria-current="true"'),
        ("{{ ui.crumb('转诊', '/r') }}", '<a href="/r">转诊</a>'),
        ("{{ ui.pager('/p', none, 50, 12345) }}", "共 12,345 条"),
    ],
)
def test_component_draws(source: str, expected: str) -> None:
    assert expected in draw(source, at=AT)


def test_components_escape_what_people_wrote() -> None:
    bad = "<script>alert(1)</script>"
    sources = (
        "{{ ui.tag(bad) }}",
        "{{ ui.button(bad) }}",
        "{{ ui.facts([(bad, bad)]) }}",
        "{{ ui.alert(bad) }}",
        "{{ ui.empty(bad, bad) }}",
        "{{ ui.item('/1', bad, detail=bad) }}",
        "{{ ui.resident(bad, bad, none, tags=[bad], allergies=[bad]) }}",
        "{{ ui.qr('x', bad) }}",
        "{{ ui.stat(bad, bad, bad) }}",
    )
    for source in sources:
        assert "<script>" not in draw(source, bad=bad), source


def test_clock_carries_the_instants() -> None:
    text = draw("{{ ui.clock(due, warn, label='判读') }}", due=AT, warn=AT - timedelta(minutes=3))
    assert f'data-due="{int(AT.timestamp())}"' in text
    assert f'data-warn="{int(AT.timestamp()) - 180}"' in text
    assert "判读：截止 2026-11-22 08:05" in text
    assert draw("{{ ui.clock(none) }}").strip() == ""


def test_resident_tells_unasked_from_no_allergies() -> None:
    source = "{{ ui.resident('陈桂芳', '女', birth, allergies=allergies) }}"
    birth = date(1963, 4, 12)
    assert "过敏史未询问" in draw(source, birth=birth, allergies=None)
    assert "无已知过敏" in draw(source, birth=birth, allergies=[])
    assert "过敏：青霉素、磺胺" in draw(source, birth=birth, allergies=["青霉素", "磺胺"])


def test_table_links_its_sorts_and_shows_the_empty_sentence() -> None:
    columns = [{"label": "居民", "sort": "name"}, "机构"]
    source = (
        "{% call ui.table(columns, count, empty='没有待判读', sort='name', address='?q=1') %}<tr></tr>{% endcall %}"
    )
    full = draw(source, columns=columns, count=1)
    assert 'href="?q=1&amp;sort=-name"' in full or 'href="?q=1&sort=-name"' in full
    assert 'aria-sort="ascending"' in full
    assert "没有待判读" in draw(source, columns=columns, count=0)


def test_field_ties_help_and_error_to_the_control() -> None:
    form = SampleForm({"name": "", "systolic": "999"})
    name = draw("{{ ui.field(form.name, placeholder='姓名') }}", form=form)
    assert 'aria-describedby="id_name-help id_name-error"' in name
    assert 'aria-invalid="true"' in name
    assert 'placeholder="姓名"' in name
    assert "mmHg" in draw("{{ ui.field(form.systolic, unit='mmHg') }}", form=form)


def test_field_draws_every_kind_of_control() -> None:
    form = SampleForm()
    text = draw("{% for bound in form %}{{ ui.field(bound) }}{% endfor %}", form=form)
    for piece in ('type="radio"', 'type="checkbox"', 'type="date"', 'type="file"', "<textarea", "<select", "data-drop"):
        assert piece in text
    assert text.count("<label") >= 8


def test_field_says_what_to_do_in_place_of_djangos_words() -> None:
    class Weighed(forms.Form):
        weight = forms.IntegerField(label="体重", max_value=300)
        way = forms.ChoiceField(label="方式", choices=[("a", "门诊")])
        note = forms.CharField(label="说明", error_messages={"required": "请写明原因。"})

    empty, wrong = Weighed({}), Weighed({"weight": "400", "way": "b", "note": "x"})
    assert [sentences_of(one) for one in empty] == [["请填写体重。"], ["请选择方式。"], ["请写明原因。"]]
    assert [sentences_of(one) for one in wrong] == [["不能大于 300，请核对。"], ["请从列表中选择。"], []]
    assert "请填写体重。" in draw("{{ ui.form_errors(form) }}{{ ui.field(form['weight']) }}", form=empty)


def test_form_carries_both_hidden_keys_and_the_summary() -> None:
    request = RequestFactory().get("/x")
    form = SampleForm({})
    text = draw("{% call ui.form(request, form, target='#part') %}内容{% endcall %}", request=request, form=form)
    assert 'name="csrfmiddlewaretoken"' in text
    assert 'name="idempotency_key"' in text
    assert 'hx-post="/x"' in text
    assert "处需要更正，内容尚未保存" in text


def test_icon_that_is_not_listed_is_refused() -> None:
    with pytest.raises(UnknownIcon, match=r"frontend/icons\.json"):
        draw("{{ icon('no-such-icon') }}")


def test_unknown_component_is_named() -> None:
    with pytest.raises(UndefinedError, match="no_such"):
        draw("{{ ui.no_such('x') }}")
