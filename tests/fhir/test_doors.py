"""What belongs to a workflow is written through its actions, with the sentences of the pages."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from doorstep.care.referrals.models import Referral
from doorstep.coordination.scheduling.models import Booking, Place, Schedule, Slot
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.fhir import systems
from doorstep.people.organizations.models import Department, Organization
from doorstep.people.residents.tests.factories import make_staff
from doorstep.people.workforce.models import Practitioner
from tests.fhir.house import House, System, bundle, entry, make_house, token_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(client: Client) -> House:
    return make_house(client)


@pytest.fixture
def village(house: House, client: Client) -> System:
    return System(client, token_of(house.world.village, "village"))


def _request(house: House, **changes: Any) -> dict[str, Any]:
    doctor = make_staff(name="李长河", organization_id=house.world.village, role="village_doctor")
    with acting(system_actor(Purpose.IMPORT)):
        requester = Practitioner.objects.get(user=doctor)
        target = Organization.objects.get(id=house.world.lead)
    return {
        "resourceType": "ServiceRequest",
        "meta": {"profile": [systems.REFERRAL_PROFILE]},
        "status": "active",
        "intent": "order",
        "priority": "urgent",
        "subject": {"reference": house.patient},
        "requester": {"reference": f"Practitioner/{requester.key}"},
        "performer": [{"reference": f"Organization/{target.key}"}],
        "reasonCode": [{"text": "不稳定型心绞痛", "coding": [{"system": systems.ICD10, "code": "I20.0"}]}],
        "note": [{"text": "反复胸痛三天，活动后加重。"}],
        "extension": [
            {
                "url": systems.REFERRAL_CONSENT,
                "extension": [{"url": "signer", "valueString": "周桂兰"}, {"url": "relation", "valueCode": "self"}],
            }
        ],
        **changes,
    }


def _slot(house: House) -> Slot:
    start = timezone.now() + timedelta(days=1)
    with acting(system_actor(Purpose.IMPORT)):
        department = Department.objects.create(organization_id=house.world.lead, code="0301", name="心血管内科")
        schedule = Schedule.objects.create(organization_id=house.world.lead, department=department)
        slot = Slot.objects.create(
            schedule=schedule,
            organization_id=house.world.lead,
            starts_at=start,
            ends_at=start + timedelta(minutes=30),
        )
        Place.objects.create(slot=slot, number=1, quota="open")
    return slot


def test_a_service_request_submits_a_referral(house: House, village: System) -> None:
    answer = village.ask("POST", "ServiceRequest", _request(house))
    assert answer.status_code == 201, answer.content
    with acting(system_actor(Purpose.IMPORT)):
        referral = Referral.objects.get(key=answer.json()["id"])
    assert (referral.state, referral.kind, referral.impression_code) == ("submitted", "urgent", "I20.0")
    assert referral.target_id == house.world.lead
    path = f"ServiceRequest/{referral.key}"
    again = village.ask("POST", "ServiceRequest", _request(house))
    assert again.status_code == 409
    assert "尚未结束" in again.json()["issue"][0]["diagnostics"]
    steps = [{"op": "replace", "path": "/status", "value": "completed"}]
    kind = "application/json-patch+json"
    assert village.ask("PATCH", path, steps, kind=kind).status_code == 409
    steps[0]["value"] = "revoked"
    moved = village.ask("PATCH", path, steps, kind=kind)
    assert (moved.status_code, moved.json()["status"]) == (200, "revoked")
    with acting(system_actor(Purpose.IMPORT)):
        assert Referral.objects.get(key=referral.key).state == "withdrawn"


def test_a_refused_referral_says_what_is_missing_and_leaves_nothing(house: House, village: System) -> None:
    unsigned = [
        {"url": systems.REFERRAL_CONSENT, "extension": [{"url": "relation", "valueCode": "self"}]},
    ]
    answer = village.ask("POST", "ServiceRequest", _request(house, extension=unsigned))
    assert answer.status_code == 422
    assert any("知情同意" in issue["diagnostics"] for issue in answer.json()["issue"])
    stranger = village.ask("POST", "ServiceRequest", _request(house, requester={"reference": "Practitioner/x"}))
    assert stranger.status_code == 422
    with acting(system_actor(Purpose.IMPORT)):
        assert not Referral.objects.exists()


def test_another_service_request_is_taken_as_it_is(house: House) -> None:
    body = {name: value for name, value in _request(house).items() if name not in ("meta", "extension")}
    assert house.own.ask("POST", "ServiceRequest", body).status_code == 201
    with acting(system_actor(Purpose.IMPORT)):
        assert not Referral.objects.exists()


def test_an_appointment_books_a_place_and_gives_it_back(house: House) -> None:
    slot = _slot(house)
    body = {
        "resourceType": "Appointment",
        "status": "booked",
        "slot": [{"reference": f"Slot/{slot.key}"}],
        "start": "2026-12-01T08:00:00+08:00",
        "end": "2026-12-01T08:30:00+08:00",
        "participant": [{"actor": {"reference": house.patient}, "status": "accepted"}],
    }
    made = house.own.ask("POST", "", bundle("transaction", entry("POST", "Appointment", body)))
    assert made.status_code == 200, made.content
    path = made.json()["entry"][0]["response"]["location"].split("/_history")[0]
    with acting(system_actor(Purpose.IMPORT)):
        assert Booking.objects.get(key=path.split("/")[1]).state == "booked"
    shown = house.own.ask("GET", path).json()
    cancelled = house.own.ask("PUT", path, {**shown, "status": "cancelled"})
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    wrong = house.own.ask("PUT", path, {**shown, "status": "booked"})
    assert wrong.status_code in (409, 422)
    with acting(system_actor(Purpose.IMPORT)):
        assert Booking.objects.get(key=path.split("/")[1]).state == "cancelled"
