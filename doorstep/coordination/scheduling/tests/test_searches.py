"""The lists of waits, rebookings, schedules and a day are searched by name, pinyin or last digits, and taken along as files."""

from datetime import timedelta
from io import BytesIO
from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.test import Client
from django.utils import timezone
from python_calamine import CalamineWorkbook

from doorstep.coordination.scheduling import actions, stopping_actions, waiting_actions
from doorstep.coordination.scheduling.tests.factories import Clinic, book_for, make_clinic, make_slot, stop, want_of
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from doorstep.people.residents.finding import fits
from doorstep.people.residents.models import Resident
from doorstep.people.residents.tests.factories import make_resident, make_staff


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("", True), ("桂兰", True), ("周 桂", True), ("zgl", True), ("ZhouG", True), ("zhou gui", True), ("1234", True),
        ("19900001234", True), ("002X", True), ("002x", True), ("吴", False), ("lan", False), ("234", False), ("0000", False),
        ("%", False), ("zglx", False),
    ],
)  # fmt: skip
def test_fits_means_the_person_by_what_a_desk_knows(text: str, meant: bool) -> None:
    person = SimpleNamespace(
        name="周桂兰",
        name_pinyin="zhou gui lan",
        name_initials="zgl",
        phone="19900001234",
        national_id="43112119630915002X",
    )
    assert fits(cast(Resident, person), text) is meant


def _rows(client: Client, address: str) -> list[list[Any]]:
    answer = client.get(address)
    assert answer.status_code == 200
    return CalamineWorkbook.from_filelike(BytesIO(answer.content)).get_sheet_by_index(0).to_python()


def _lists() -> Clinic:
    """周桂兰 waits and is expected today, 吴大山 is to be rebooked."""
    clinic = make_clinic()
    village = clinic.world.village
    other = make_resident(organization_id=village, name="吴大山", number="", phone="19900004321", panel_of=(village,))
    stopped = make_slot(clinic, referral=1)
    book_for(clinic, stopped, other)
    stop(stopped, reason="专家外出")
    with acting(system_actor(Purpose.HANDLER)) as house:
        stopping_actions.call_off(slot_ids=[stopped.pk], reason="专家外出", actor=house)
    with acting(clinic.doctor) as li:
        waiting_actions.join(resident_id=clinic.resident.pk, want=want_of(clinic), actor=li)
        slot = make_slot(clinic, starts_at=timezone.now() + timedelta(seconds=30), own=1)
    book_for(clinic, slot, clinic.resident, origin="own")
    return clinic


@pytest.mark.django_db
def test_lists_are_searched_and_taken_along(client: Client) -> None:
    clinic = _lists()
    user = make_staff(name="周敏", organization_id=clinic.world.lead, role="clinic_manager")
    client.force_login(user)
    day = timezone.localdate(timezone.now() + timedelta(seconds=30)).isoformat()
    for address, found, missed in (
        ("/slots/waiting/?q={}", "zgl", "吴"),
        ("/slots/schedules/?q={}", "wzr", "眼科"),
        (f"/slots/day/?day={day}&q={{}}", "1234", "4321"),
    ):
        assert "心血管内科" in client.get(address.format(found)).content.decode()
        none = client.get(address.format(missed)).content.decode()
        assert "周桂兰" not in none
        assert "未找到" in none or "没有" in none
    assert _rows(client, "/slots/waiting/list.xlsx?q=zgl")[1][2] == "周桂兰"
    assert len(_rows(client, "/slots/waiting/list.xlsx?q=吴")) == 1
    assert _rows(client, f"/slots/day/list.xlsx?day={day}")[1][1] == "周桂兰"
    assert _rows(client, "/slots/schedules/list.xlsx")[1][:2] == ["心血管内科", "王主任"]
    client.force_login(User.objects.get(username="li"))
    assert "吴大山" in client.get("/slots/rebookings/?q=4321").content.decode()
    assert "没有找到" in client.get("/slots/rebookings/?q=1234").content.decode()
    # The first to be rebooked is the first that is late: the list says by when.
    assert "data-due" in client.get("/slots/rebookings/").content.decode()
    taken_along = _rows(client, "/slots/rebookings/list.xlsx")
    assert (taken_along[0][7], taken_along[1][5]) == ("改约时限", "专家外出")
    assert taken_along[1][7] > taken_along[1][6]
    with acting(system_actor(Purpose.INDICATORS)):
        noted = AuditEntry.objects.filter(action="slots.export").order_by("id")
        taken = noted.filter(resident_id__isnull=True).values_list("subject", flat=True)
        assert list(taken) == ["slots/waiting", "slots/waiting", "slots/day", "slots/rebookings"]
        # Whoever stands on a list that was taken along sees it among the looks; who was not found is not on it.
        own = noted.filter(resident_id=clinic.resident.pk).values_list("subject", flat=True)
        assert set(own) == {"slots/waiting", "slots/day"}
        assert noted.filter(subject="slots/waiting", resident_id=clinic.resident.pk).count() == 1


@pytest.mark.django_db
def test_the_number_in_the_queue_finds_who_checked_in(client: Client) -> None:
    clinic = make_clinic()
    booking = book_for(
        clinic, make_slot(clinic, starts_at=timezone.now() + timedelta(seconds=20), referral=1), clinic.resident
    )
    day = timezone.localdate(booking.slot.starts_at).isoformat()
    with acting(clinic.officer) as officer:
        actions.arrive(booking_key=booking.key, actor=officer)
    client.force_login(make_staff(name="周敏", organization_id=clinic.world.lead, role="clinic_manager"))
    assert "周桂兰" in client.get(f"/slots/day/?day={day}&q=1").content.decode()
    assert "周桂兰" not in client.get(f"/slots/day/?day={day}&q=2").content.decode()
