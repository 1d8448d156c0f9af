"""Every file of the places says what its page says: the same heads, the same rows, the same figures, in both languages, and no ids."""

from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from lxml import html
from python_calamine import CalamineWorkbook

from doorstep.coordination.scheduling import clinic_queries, quota_actions
from doorstep.coordination.scheduling.models import Booking, Place
from doorstep.coordination.scheduling.tests.factories import Clinic, book_for, make_clinic, make_slot
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.people.residents.tests.factories import make_resident, make_staff

pytestmark = pytest.mark.django_db


def _lived_in(client: Client) -> Clinic:
    """A clinic with a used, a missed, a wasted and a released place; its manager is logged in."""
    clinic = make_clinic()
    village, now = clinic.world.village, timezone.now()
    other = make_resident(organization_id=village, name="钱进", number="", phone="", panel_of=(village,))
    book_for(clinic, make_slot(clinic, starts_at=now + timedelta(days=1), referral=2, own=1), clinic.resident)
    missed = book_for(clinic, make_slot(clinic, starts_at=now + timedelta(days=2), referral=1, open=1), other)
    with acting(system_actor(Purpose.IMPORT)):
        Booking.objects.filter(pk=missed.pk).update(state="no-show")
        free = Place.objects.filter(state="free", quota="referral").first()
        assert free is not None
        Place.objects.filter(pk=free.pk).update(
            sunk_at=now, given_quota="referral", quota="open", given_organization_id=clinic.world.township
        )
    client.force_login(make_staff(name="周敏", organization_id=clinic.world.lead, role="clinic_manager"))
    return clinic


def _tables(client: Client, path: str) -> dict[str, list[list[str]]]:
    """The tables of a page by caption, a list of texts per row, the heads first."""
    tree: Any = html.fromstring(client.get(path).content.decode())
    return {
        "".join(table.xpath(".//caption//text()")).strip(): [
            ["".join(cell.itertext()).strip() for cell in row.xpath("./th|./td")] for row in table.xpath(".//tr")
        ]
        for table in tree.xpath("//table[.//caption]")
    }


def _sheets(client: Client, path: str) -> dict[str, list[list[Any]]]:
    book = CalamineWorkbook.from_filelike(BytesIO(client.get(path).content))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def _said(value: object, *, share: bool = False, decimals: bool = False) -> str:
    """A cell of a file as its page writes it."""
    if isinstance(value, float):
        return f"{value:.0%}" if share else f"{value:.1f}" if decimals else f"{value:.0f}"
    return str(value)


@pytest.mark.parametrize(("language", "caption"), [("zh-hans", "每周使用情况"), ("en", "Use by week")])
def test_quotas_file_has_the_rows_of_its_page(client: Client, language: str, caption: str) -> None:
    # Of a week that is over there is a rate, of the others none yet.
    make_slot(_lived_in(client), starts_at=timezone.now() - timedelta(days=10), referral=2)
    client.cookies["django_language"] = language
    page = _tables(client, "/slots/quotas/")[caption]
    (sheet,) = _sheets(client, "/slots/quotas/weeks.xlsx").values()
    assert [str(one) for one in sheet[0]] == page[0]
    assert len(sheet) == len(page) > 3
    assert {isinstance(row[-1], str) for row in sheet[1:]} == {True, False}
    for row, shown in zip(sheet[1:], page[1:], strict=True):
        assert [_said(one) for one in row[:-1]] == shown[:-1]
        if row[-1] in ("未结束", "Not over"):
            assert row[-1] == shown[-1]
            continue
        assert shown[-1].rstrip("%") == f"{float(str(row[-1])):.0%}".rstrip("%") or shown[-1].startswith(
            f"{float(str(row[-1])) * 100:.1f}"
        )


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_fairness_file_has_the_rows_of_its_page(client: Client, language: str) -> None:
    _lived_in(client)
    client.cookies["django_language"] = language
    pages, sheets = _tables(client, "/slots/fairness/"), _sheets(client, "/slots/fairness/report.xlsx")
    assert len(sheets) == 3
    for name, sheet in sheets.items():
        page = pages[name]
        assert [str(one) for one in sheet[0]] == page[0]
        for row, shown in zip(sheet[1:], page[1:], strict=True):
            said = [_said(one, decimals=place in (2, 3)) for place, one in enumerate(row)]
            assert said == shown, name
            # The file is no more exact than the page: both can be set side by side.
            assert [row[place] for place in (2, 3)] == [round(float(row[place]), 1) for place in (2, 3)]
    if language == "en":
        assert "Referred patients" in [row[0] for row in pages["By group"]]


def test_places_have_names_in_both_languages(client: Client) -> None:
    clinic = _lived_in(client)
    client.cookies["django_language"] = "en"
    rule = client.get("/slots/quotas/").content.decode()
    assert "Contract places that nobody took" in rule
    assert "签约 places" not in rule
    division = client.get(f"/slots/quotas/{clinic.schedule.department.key}/community/").content.decode()
    assert "Division of Community places" in division
    client.cookies["django_language"] = "zh-hans"
    assert "签约号无人预约时" in client.get("/slots/quotas/").content.decode()


def test_board_sums_half_days_and_leads_to_the_day_where_a_place_can_be_added(client: Client) -> None:
    clinic = make_clinic()
    start = (timezone.now() + timedelta(days=1)).replace(hour=1, minute=0, second=0, microsecond=0)
    first, second = (make_slot(clinic, starts_at=start + timedelta(minutes=30 * n), own=2, open=1) for n in (0, 1))
    client.force_login(make_staff(name="周敏", organization_id=clinic.world.lead, role="clinic_manager"))
    day = timezone.localdate(start)
    board = client.get(f"/slots/?week={day}").content.decode()
    assert "本院号 4/4" in board
    assert "公开号 2/2" in board
    to = f"/slots/day/?day={day}&amp;schedule={clinic.schedule.key}"
    assert to in board
    assert "没有号源" in client.get(f"/slots/?week={day}&q=骨科").content.decode()
    listed = client.get(to.replace("&amp;", "&")).content.decode()
    assert f"/slots/extra/{first.key}/" in listed
    assert f"/slots/extra/{second.key}/" in listed
    assert clinic_queries.fitting([first], "王主任") == [first]


def test_check_in_stays_at_the_list(client: Client) -> None:
    clinic = make_clinic()
    booking = book_for(
        clinic, make_slot(clinic, starts_at=timezone.now() + timedelta(minutes=5), referral=1), clinic.resident
    )
    client.force_login(make_staff(name="周敏", organization_id=clinic.world.lead, role="clinic_manager"))
    answer = client.post(
        f"/slots/bookings/{booking.key}/arrive/", {"back": "day", "schedule": str(clinic.schedule.key)}
    )
    assert answer.headers["Location"] == f"/slots/day/?schedule={clinic.schedule.key}"
    assert "周桂兰" in client.get("/slots/day/", {"q": "桂兰"}).content.decode()
    assert "周桂兰" not in client.get("/slots/day/", {"q": "张三"}).content.decode()


def test_rule_that_is_saved_is_said_in_words(client: Client) -> None:
    clinic = _lived_in(client)
    with acting(clinic.officer) as officer:
        quota_actions.set_sink_rule(organization_id=clinic.world.lead, steps=[], actor=officer)
    assert "公开号" in _tables(client, "/slots/quotas/")["释放规则"][3][0]
