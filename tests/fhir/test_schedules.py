"""A hospital's system declares its clinics and their times; others book them and cannot touch them."""

from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.test import Client
from django.utils import timezone

from doorstep.coordination.scheduling.models import Booking, Place, Slot
from doorstep.coordination.scheduling.tests.factories import Clinic, make_clinic
from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.site.fhir.schedules import PLACES

pytestmark = pytest.mark.django_db


def _token(name: str, organization_id: int) -> str:
    with acting(system_actor(Purpose.IMPORT)) as system:
        return access.issue_token(name=name, display=name, organization_id=organization_id, actor=system)


def _send(client: Client, token: str, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    return client.generic(
        method,
        f"/fhir/{path}",
        orjson.dumps(body) if body else b"",
        content_type="application/fhir+json",
        headers={"Authorization": f"Bearer {token}"},
    )


def _declared(client: Client, clinic: Clinic, token: str) -> tuple[str, str]:
    schedule = {
        "resourceType": "Schedule",
        "active": True,
        "specialty": [{"coding": [{"code": "0301"}]}],
        "actor": [{"display": "心血管内科"}],
    }
    made = _send(client, token, "POST", "Schedule", schedule)
    assert made.status_code == 201, made.content
    start = timezone.localtime().replace(microsecond=0) + timedelta(days=2)
    slot = {
        "resourceType": "Slot",
        "schedule": {"reference": f"Schedule/{made.json()['id']}"},
        "status": "free",
        "start": start.isoformat(),
        "end": (start + timedelta(minutes=30)).isoformat(),
        "extension": [{"url": PLACES, "valueInteger": 2}],
    }
    opened = _send(client, token, "POST", "Slot", slot)
    assert opened.status_code == 201, opened.content
    again = _send(client, token, "POST", "Slot", slot)
    assert again.status_code == 409
    return made.json()["id"], opened.json()["id"]


def test_a_hospital_declares_its_clinic_and_others_book_it(client: Client) -> None:
    clinic = make_clinic()
    own, other = _token("lead-his", clinic.world.lead), _token("village-his", clinic.world.village)
    _schedule, slot = _declared(client, clinic, own)
    with acting(system_actor(Purpose.INDICATORS)):
        assert list(Place.objects.filter(slot__key=slot).values_list("quota", flat=True)) == ["open", "open"]
    rows = [
        {"name": "slot", "valueString": slot},
        {"name": "patient", "valueString": f"Patient/{clinic.resident.key}"},
    ]
    booked = _send(client, other, "POST", "Appointment/$book", {"resourceType": "Parameters", "parameter": rows})
    assert booked.status_code == 201, booked.content
    shown = _send(client, own, "GET", f"Slot/{slot}").json()
    foreign = _send(client, other, "PUT", f"Slot/{slot}", {**shown, "status": "busy-unavailable"})
    assert foreign.status_code == 404
    stopped = _send(client, own, "PUT", f"Slot/{slot}", {**shown, "status": "busy-unavailable", "comment": "设备检修"})
    assert stopped.status_code == 200, stopped.content
    with acting(system_actor(Purpose.INDICATORS)):
        assert Slot.objects.get(key=slot).stop_reason == "设备检修"
        assert Booking.objects.count() == 1


def test_what_cannot_be_declared_is_refused_with_its_field(client: Client) -> None:
    clinic = make_clinic()
    own, other = _token("lead-his", clinic.world.lead), _token("village-his", clinic.world.village)
    schedule, _slot = _declared(client, clinic, own)
    unknown = {"resourceType": "Schedule", "specialty": [{"text": "没有的科室"}], "actor": [{"display": "x"}]}
    assert _send(client, own, "POST", "Schedule", unknown).status_code == 422
    start = timezone.localtime() + timedelta(days=5)
    slot = {
        "resourceType": "Slot",
        "schedule": {"reference": f"Schedule/{schedule}"},
        "status": "free",
        "start": start.isoformat(),
        "end": (start - timedelta(minutes=30)).isoformat(),
    }
    assert _send(client, own, "POST", "Slot", slot).status_code == 422
    right = {**slot, "end": (start + timedelta(minutes=30)).isoformat()}
    assert _send(client, other, "POST", "Slot", right).status_code == 404
    assert _send(client, own, "DELETE", f"Schedule/{schedule}").status_code == 422


def test_half_a_day_is_stopped_by_its_slots_in_one_transaction_or_not_at_all(client: Client) -> None:
    clinic = make_clinic()
    own, other = _token("lead-his", clinic.world.lead), _token("village-his", clinic.world.village)
    schedule, _slot = _declared(client, clinic, own)
    noon = (timezone.localtime() + timedelta(days=4)).replace(hour=12, minute=0, second=0, microsecond=0)
    times = [noon + timedelta(hours=hours) for hours in (-3, 2, 3)]
    slots = [
        _send(
            client,
            own,
            "POST",
            "Slot",
            {
                "resourceType": "Slot",
                "schedule": {"reference": f"Schedule/{schedule}"},
                "status": "free",
                "start": start.isoformat(),
                "end": (start + timedelta(minutes=30)).isoformat(),
            },
        ).json()
        for start in times
    ]

    def stop(token: str, *found: dict[str, Any]) -> Any:
        entry = [
            {
                "resource": {**slot, "status": "busy-unavailable", "comment": "下午院内会议"},
                "request": {"method": "PUT", "url": f"Slot/{slot['id']}"},
            }
            for slot in found
        ]
        return _send(client, token, "POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": entry})

    moved = {**slots[2], "start": (times[2] + timedelta(minutes=5)).isoformat()}
    assert stop(own, slots[1], moved).status_code == 422
    assert stop(other, *slots[1:]).status_code == 404
    assert not Slot.objects.filter(stopped_at__isnull=False).exists()
    done = stop(own, *slots[1:])
    assert done.status_code == 200, done.content
    keys = {str(key) for key in Slot.objects.filter(stopped_at__isnull=False).values_list("key", flat=True)}
    assert keys == {slot["id"] for slot in slots[1:]}
    assert set(Slot.objects.filter(key__in=keys).values_list("stop_reason", flat=True)) == {"下午院内会议"}
