"""The bed board on the page and in Excel: the same figures, names for those alone who see records, a search by name."""

import re
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from python_calamine import CalamineWorkbook

from doorstep.coordination.beds import actions
from doorstep.coordination.beds.medicines import MEDICINES
from doorstep.coordination.beds.models import Bed, Stay
from doorstep.coordination.beds.presenters import fits
from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.models import CareRelationship, User
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.terminology import actions as terminology
from doorstep.kernel.terminology import reading
from doorstep.people.residents.models import Resident
from doorstep.people.residents.tests.factories import World, make_resident, make_staff, make_world
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def officer(world: World) -> User:
    return make_staff(name="郑岚", organization_id=world.lead, role="referral_officer", username="office")


def fill(world: World, officer: User) -> None:
    """A ward of four: 周桂兰 lies in bed 1 and leaves today, bed 2 is kept for 王德福, who waits with 周明."""
    people = {
        name: make_resident(
            name=name, organization_id=world.village, number=f"43098119630915882{place}", phone=f"1990000123{place}"
        )
        for place, name in enumerate(("周桂兰", "王德福", "周明"))
    }
    with acting(system_actor(Purpose.IMPORT)) as actor:
        actions.open_ward(organization_id=world.lead, name="心内科", beds=["1", "2", "3", "4"], actor=actor)
        for person in people.values():
            access.open_relationship(
                resident_id=person.pk,
                organization_id=world.lead,
                reason=CareRelationship.Reason.VISIT,
                episode=f"stay/{person.pk}",
                actor=actor,
            )
    acts = of_user(officer)
    with acting(acts):
        lie = Bed.objects.get(number="1")
        stay = actions.occupy(bed=lie, resident=people["周桂兰"], actor=acts, diagnosis="=1+1")
        actions.write_round(stay=stay, said={}, predicted_on=timezone.localdate(), actor=acts)
    for name, priority in (("王德福", 0), ("周明", 2)):
        ask(world, people[name], priority)
    with acting(acts):
        until = timezone.now() + timedelta(hours=2)
        actions.hold(bed=Bed.objects.get(number="2"), reference="referral/王德福", until=until, actor=acts)


def ask(world: World, person: Resident, priority: int) -> None:
    with acting(system_actor(Purpose.HANDLER)) as actor:
        wanted = actions.Wanted(
            organization_id=world.lead,
            resident_id=person.pk,
            patient_name=person.name,
            reference=f"referral/{person.name}",
            priority=priority,
        )
        actions.ask(wanted=wanted, actor=actor)


def figures(page: str) -> dict[str, int]:
    """The figures on top of the page by their names."""
    pairs = re.findall(r'ds-stat-label">([^<]+)</span>\s*<span class="ds-stat-value">(\d+)', page)
    return {name: int(value) for name, value in pairs}


def tiles(page: str) -> list[str]:
    """The numbers of the beds that the page shows."""
    return re.findall(r'<b class="ds-figure">([^<]+)</b>', page)


def listed(page: str) -> list[str]:
    """Who stands on the waiting list of the page."""
    return re.findall(r"<tr><td>(?:<a [^>]+>)?([^<]+?)(?:</a>)? <small", page)


def sheets(client: Client) -> dict[str, list[list[Any]]]:
    answer = client.get(reverse("beds:export"))
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="beds-')
    book = CalamineWorkbook.from_filelike(BytesIO(answer.content))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def test_file_says_what_the_page_says(world: World, officer: User, client: Client) -> None:
    fill(world, officer)
    client.force_login(officer)
    page = client.get(reverse("beds:board")).content.decode()
    found = sheets(client)
    sums = dict(zip(found["病区汇总"][0], found["病区汇总"][-1], strict=True))
    told = figures(page)
    assert told == {
        "床位总数": 4,
        "空床": 2,
        "预留": 1,
        "占用": 1,
        "终末消毒": 0,
        "明日前预计出院": 1,
        "候床": len(found["候床名单"]) - 1,
    }
    assert {name: sums[name] for name in told if name != "候床"} == {
        name: count for name, count in told.items() if name != "候床"
    }
    lies, kept = found["床位"][1], found["床位"][2]
    # A text that begins with "=" is a text.
    assert (lies[3], lies[6], lies[8]) == ("占用", "周桂兰", "=1+1")
    assert (kept[3], kept[-1]) == ("预留", "王德福")
    waits = [(row[1], row[3], row[-1]) for row in found["候床名单"][1:]]
    assert waits == [("周明", "绿色通道", ""), ("王德福", "普通", "心内科 2")]
    assert listed(page) == ["周明", "王德福"]
    with acting(system_actor(Purpose.EXPORT)):
        assert AuditEntry.objects.filter(action="beds.export", resident_id=None).count() == 1
        assert AuditEntry.objects.filter(action="beds.export", resident_id__isnull=False).exists()


def test_who_sees_no_records_reads_how_many_and_no_names(world: World, officer: User, client: Client) -> None:
    fill(world, officer)
    client.force_login(make_staff(name="曾庆明", organization_id=world.lead, role="manager", username="manager"))
    text = client.get(reverse("beds:board")).content.decode()
    assert "没有人候床" not in text
    assert not any(name in text for name in ("周桂兰", "王德福", "周明"))
    assert (figures(text)["候床"], figures(text)["明日前预计出院"]) == (2, 1)
    found = sheets(client)
    assert [row[:2] for row in found["候床人数"][1:]] == [["绿色通道", 1], ["普通", 1]]
    assert "患者" not in found["床位"][0]
    assert found["病区汇总"][-1][-1] == 1


def test_search_finds_the_bed_and_the_place_on_the_list(world: World, officer: User, client: Client) -> None:
    fill(world, officer)
    client.force_login(officer)

    def found(text: str) -> tuple[list[str], list[str]]:
        page = client.get(reverse("beds:board"), {"q": text}).content.decode()
        assert figures(page)["床位总数"] == 4
        return tiles(page), listed(page)

    assert found("周") == (["1"], ["周明"])
    assert found("wdf") == (["2"], ["王德福"])
    assert found("zhouming") == ([], ["周明"])
    assert found("没有") == ([], [])
    # What refreshes itself goes on looking for the same.
    assert "q=%E5%91%A8" in client.get(reverse("beds:board"), {"q": "周"}).content.decode()


@pytest.mark.parametrize(
    ("text", "name", "told"),
    [("", "周明", True), ("明", "周明", True), ("ZM", "周明", True), ("zhou m", "周明", True), ("m", "周明", False), ("zm", "", False)],
)  # fmt: skip
def test_a_name_fits_as_it_is_written_or_typed(text: str, name: str, told: bool) -> None:
    assert fits(text, name) is told


def test_round_takes_the_medicines_and_an_older_page_leaves_them(world: World, officer: User, client: Client) -> None:
    fill(world, officer)
    facts = next(one for one in reading.manifest() if one.system == MEDICINES)
    with acting(system_actor(Purpose.IMPORT)) as actor:
        terminology.import_system(facts=facts, folder=reading.DATA, actor=actor)
    client.force_login(officer)
    with acting(of_user(officer)):
        stay = Stay.objects.get()
    page = reverse("beds:stay", args=[stay.key])
    assert "目前用药" in client.get(page).content.decode()
    found = client.get(reverse("beds:medicines"), {"medicine": "aspl"}).content.decode()
    assert "code=aspirin-100" in found
    row = client.get(reverse("beds:medicine-row"), {"code": "aspirin-100"}).content.decode()
    assert 'value="阿司匹林肠溶片' in row
    assert reverse("beds:medicine-row") in row
    lines = {
        "medicine_code": ["aspirin-100", ""], "medicine_name": ["阿司匹林肠溶片 100 mg", " "], "medicine_dose": ["100 mg", ""],
        "medicine_frequency": ["qd", "qd"], "medicine_days": ["30", ""], "medicine_note": ["", ""],
    }  # fmt: skip
    assert client.post(page, {"systolic": "130", **lines}).status_code == 302
    assert client.post(page, {"systolic": "128"}).status_code == 302
    with acting(of_user(officer)):
        stay.refresh_from_db()
        assert [one["code"] for one in stay.medicines] == ["aspirin-100"]
        assert stay.rounds["systolic"] == 128
    assert "阿司匹林肠溶片 100 mg" in client.get(page).content.decode()
