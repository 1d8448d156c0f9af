"""A page that was opened for one person acts on nobody else: the next caller, another member of the family."""

import re
from datetime import date, timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone

from doorstep.coordination.scheduling.models import Booking, WaitingEntry
from doorstep.coordination.scheduling.tests.factories import Clinic, make_clinic, make_slot
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from doorstep.people.residents.models import Resident, ResidentAccount
from doorstep.people.residents.tests.factories import ZHOU_NUMBER, make_resident, make_staff

pytestmark = pytest.mark.django_db
SYSTEM = system_actor(Purpose.INDICATORS)
WANG = "439981195001010038"


@pytest.fixture
def clinic() -> Clinic:
    return make_clinic()


@pytest.fixture
def other(clinic: Clinic) -> Resident:
    return make_resident(
        organization_id=clinic.world.village,
        name="王德福",
        number=WANG,
        phone="19900005678",
        birth_date=date(1950, 1, 1),
    )


def hidden(page: str, name: str) -> str:
    """The value of a hidden field of a page, the first."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, name
    return unescape(found.group(1))


def call_in(client: Client, number: str, name: str, end: str) -> str:
    """Somebody calls and gives the three facts; returns the operator's page."""
    client.post("/slots/phone/end/")
    answer = client.post("/slots/phone/", {"number": number, "name": name, "phone_last_four": end})
    assert answer.status_code == 302
    return client.get("/slots/phone/").content.decode()


def test_the_page_of_the_caller_before_lets_nobody_else_in(client: Client, clinic: Clinic, other: Resident) -> None:
    """Called back was 周桂兰, in the other tab; 王德福, who gave three facts that others know, is not known by it."""
    client.force_login(make_staff(name="接线员", organization_id=clinic.world.lead, role="clinic_desk"))
    first = call_in(client, ZHOU_NUMBER, "周桂兰", "1234")
    second = call_in(client, WANG, other.name, "5678")
    assert hidden(first, "call") != hidden(second, "call")
    refused = client.post("/slots/phone/verify/", {"call": hidden(first, "call")})
    assert refused.status_code == 409
    assert "上一位来电人" in refused.content.decode()
    assert "回拨核实" in client.get("/slots/phone/").content.decode()
    with acting(SYSTEM):
        assert not AuditEntry.objects.filter(action="caller.called-back").exists()
    assert client.post("/slots/phone/verify/", {"call": hidden(second, "call")}).status_code == 302
    assert "回拨核实" not in client.get("/slots/phone/").content.decode()


def test_the_page_of_the_caller_before_books_for_nobody_else(client: Client, clinic: Clinic, other: Resident) -> None:
    slot = make_slot(clinic, open=2)
    client.force_login(make_staff(name="接线员", organization_id=clinic.world.lead, role="clinic_desk"))
    calls = []
    for number, name, end in ((ZHOU_NUMBER, "周桂兰", "1234"), (WANG, other.name, "5678")):
        page = call_in(client, number, name, end)
        assert client.post("/slots/phone/verify/", {"call": hidden(page, "call")}).status_code == 302
        calls.append(hidden(page, "call"))
    department = clinic.schedule.department.key
    page = client.get(f"/slots/phone/?department={department}").content.decode()
    assert hidden(page, "call") == calls[1]
    for address in (f"/slots/phone/book/{slot.key}/", f"/slots/phone/find/{department}/wait/"):
        assert client.post(address, {"call": calls[0], "department": str(department)}).status_code == 409
    with acting(SYSTEM):
        assert not Booking.objects.exists()
        assert not WaitingEntry.objects.exists()
    assert client.post(f"/slots/phone/book/{slot.key}/", {"call": calls[1]}).status_code == 302
    with acting(SYSTEM):
        assert Booking.objects.get().resident_id == other.pk


def test_a_page_opened_for_the_mother_books_nothing_for_the_child(
    client: Client, clinic: Clinic, other: Resident
) -> None:
    slot = make_slot(clinic, starts_at=timezone.now() + timedelta(days=2), open=2)
    with acting(system_actor(Purpose.IMPORT)):
        user = User.objects.create_user("zhou", password="correct-horse-9", kind=User.Kind.RESIDENT)
        for one, relation in ((clinic.resident, "self"), (other, "child")):
            ResidentAccount.objects.create(user=user, resident=one, relation=relation, since=date(2024, 1, 1))
    client.force_login(user)
    client.post(f"/me/family/{clinic.resident.key}/")
    page, waiting = f"/slots/my/book/{slot.key}/", f"/slots/my/find/{clinic.schedule.department.key}/wait/"
    whose = hidden(client.get(page).content.decode(), "whose")
    assert whose == hidden(client.get(waiting).content.decode(), "whose") == str(clinic.resident.key)
    # Another tab turns to the other one.
    client.post(f"/me/family/{other.key}/")
    today = timezone.localdate()
    days = {"first_day": today.isoformat(), "last_day": (today + timedelta(days=7)).isoformat()}
    for address, given in ((page, {}), (waiting, days)):
        refused = client.post(address, {"whose": whose, **given})
        assert refused.status_code == 409
        assert other.name in refused.content.decode()
    with acting(SYSTEM):
        assert not Booking.objects.exists()
        assert not WaitingEntry.objects.exists()
    assert client.post(page, {"whose": hidden(client.get(page).content.decode(), "whose")}).status_code == 302
    with acting(SYSTEM):
        assert Booking.objects.get().resident_id == other.pk
