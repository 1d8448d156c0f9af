"""FHIR operations: $find, $hold, $book, $cancel with a token; a resend books once; an Appointment resource does the same."""

import threading
from datetime import timedelta
from itertools import pairwise
from typing import Any

import orjson
import pytest
from django.db import connection, connections
from django.test import Client
from django.utils import timezone

from doorstep.coordination.scheduling import refusing, showing
from doorstep.coordination.scheduling.models import Booking, Facility, Place, Schedule, Slot, VisitKind
from doorstep.coordination.scheduling.outcomes import NoPlaceLeft
from doorstep.coordination.scheduling.taking import Ask
from doorstep.coordination.scheduling.tests.factories import Clinic, make_clinic, make_slot
from doorstep.kernel.access import actions as access
from doorstep.kernel.access import queries as access_queries
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.people.organizations import queries as organizations
from doorstep.people.residents.tests.factories import make_resident
from doorstep.site.actors import of_system

pytestmark = pytest.mark.django_db


def _token(clinic: Clinic) -> str:
    with acting(system_actor(Purpose.IMPORT)) as system:
        return access.issue_token(
            name="village-his", display="村医系统", organization_id=clinic.world.village, actor=system
        )


def _ask(client: Client, token: str, path: str, headers: dict[str, str] | None = None, **values: str) -> Any:
    rows = [{"name": name, "valueString": value} for name, value in values.items()]
    return client.post(
        f"/fhir/{path}",
        data=orjson.dumps({"resourceType": "Parameters", "parameter": rows}),
        content_type="application/fhir+json",
        headers={"Authorization": f"Bearer {token}", **(headers or {})},
    )


def test_a_hold_sent_again_with_its_key_is_answered_the_same_and_keeps_one_place(client: Client) -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, open=3)
    token, patient = _token(clinic), f"Patient/{clinic.resident.key}"
    same = {"Idempotency-Key": "visit-1"}
    first = _ask(client, token, "Slot/$hold", headers=same, slot=f"Slot/{slot.key}", patient=patient)
    again = _ask(client, token, "Slot/$hold", headers=same, slot=f"Slot/{slot.key}", patient=patient)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    with acting(system_actor(Purpose.INDICATORS)):
        assert Place.objects.filter(state="held").count() == 1
    other = _ask(client, token, "Slot/$hold", headers=same, slot=f"Slot/{slot.key}", patient=patient, origin="own")
    assert other.status_code == 422, other.content
    assert "Idempotency-Key" in other.content.decode()
    hold = first.json()["parameter"][0]["valueString"]
    assert _ask(client, token, "Appointment/$book", hold=hold, patient=patient).status_code == 201
    late = _ask(client, token, "Slot/$hold", headers=same, slot=f"Slot/{slot.key}", patient=patient)
    assert late.json() == first.json()
    with acting(system_actor(Purpose.INDICATORS)):
        assert not Place.objects.filter(state="held").exists()
    # What was refused has used no key: the same request goes through once a place is free.
    full = make_slot(clinic, starts_at=timezone.now() + timedelta(days=2), open=0)
    key = {"Idempotency-Key": "visit-2"}
    assert _ask(client, token, "Slot/$hold", headers=key, slot=str(full.key), patient=patient).status_code == 409
    with acting(system_actor(Purpose.IMPORT)):
        Place.objects.create(slot=full, number=1, quota="open")
    assert _ask(client, token, "Slot/$hold", headers=key, slot=str(full.key), patient=patient).status_code == 201


def test_find_hold_book_and_cancel(client: Client) -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, open=1)
    token, patient = _token(clinic), f"Patient/{clinic.resident.key}"
    found = client.get(
        f"/fhir/Slot/$find?organization={clinic.world.lead}", headers={"Authorization": f"Bearer {token}"}
    ).json()
    assert [one["resource"]["id"] for one in found["entry"]] == [str(slot.key)]
    # Whoever names no hospital looks in all of the consortium.
    with acting(system_actor(Purpose.IMPORT)):
        house = organizations.consortium_of(organization_id=clinic.world.village, day=timezone.localdate())
        Schedule.objects.update(consortium_id=house)
    everywhere = client.get("/fhir/Slot/$find?_count=3", headers={"Authorization": f"Bearer {token}"}).json()
    assert everywhere["entry"] == found["entry"]
    held = _ask(client, token, "Slot/$hold", slot=f"Slot/{slot.key}", patient=patient)
    assert held.status_code == 201, held.content
    hold = held.json()["parameter"][0]["valueString"]
    again = _ask(client, token, "Slot/$hold", slot=str(slot.key), patient=patient)
    assert again.status_code == 409
    made = _ask(client, token, "Appointment/$book", hold=hold, patient=patient)
    assert (made.status_code, made.json()["status"]) == (201, "booked")
    gone = _ask(client, token, "Appointment/$cancel", appointment=made.json()["id"], reason="改期")
    assert (gone.status_code, gone.json()["status"]) == (200, "cancelled")
    # The answer was lost on the way: sent again, it is answered the same.
    twice = _ask(client, token, "Appointment/$cancel", appointment=made.json()["id"], reason="改期")
    assert (twice.status_code, twice.content) == (200, gone.content)


def _machine_of(clinic: Clinic, slot: Slot) -> Facility:
    """The clinic's times are those of a machine from now on."""
    with acting(system_actor(Purpose.IMPORT)):
        department = clinic.schedule.department
        machine = Facility.objects.create(
            organization_id=clinic.world.lead, department=department, kind="machine", name="CT 1 号机"
        )
        kind = VisitKind.objects.create(department=department, name="增强扫描", minutes=20)
        Schedule.objects.filter(pk=clinic.schedule.pk).update(practitioner=None, facility=machine, service="exam")
        Slot.objects.filter(pk=slot.pk).update(kind=kind)
    return machine


def _found(client: Client, token: str, query: str) -> list[Any]:
    answer = client.get(f"/fhir/Slot/$find?{query}", headers={"Authorization": f"Bearer {token}"})
    return [entry["resource"] for entry in answer.json()["entry"]]


def test_find_says_which_machine_and_which_kind_of_visit(client: Client) -> None:
    clinic = make_clinic()
    _machine_of(clinic, make_slot(clinic, open=1))
    found = _found(client, _token(clinic), f"organization={clinic.world.lead}")[0]
    assert found["comment"] == "增强扫描（20 分钟） · CT 1 号机"
    assert found["serviceType"][0]["coding"][0]["code"] == "exam"


def test_find_by_the_name_of_a_machine_or_of_a_kind_of_visit(client: Client) -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, open=1)
    _machine_of(clinic, slot)
    token = _token(clinic)
    for words in ("CT", "ct 1", "增强"):
        assert [one["id"] for one in _found(client, token, f"organization={clinic.world.lead}&specialty={words}")] == [
            str(slot.key)
        ]
    assert _found(client, token, f"organization={clinic.world.lead}&specialty=MRI") == []


def test_an_appointment_names_its_machine_which_can_be_read(client: Client) -> None:
    clinic = make_clinic()
    first, second = make_slot(clinic, open=1), make_slot(clinic, open=1, starts_at=timezone.now() + timedelta(days=2))
    machine = _machine_of(clinic, first)
    token = _token(clinic)
    with acting(system_actor(Purpose.HANDLER)) as system:
        showing.show(slot_ids=[first.pk, second.pk], actor=system, with_schedule=True)
    patient = f"Patient/{clinic.resident.key}"
    at_once = _ask(client, token, "Appointment/$book", slot=str(first.key), patient=patient).json()
    held = _ask(client, token, "Slot/$hold", slot=str(second.key), patient=patient).json()
    hold = {row["name"]: row for row in held["parameter"]}["hold"]["valueString"]
    by_hold = _ask(client, token, "Appointment/$book", hold=hold, patient=patient).json()
    device = {"reference": f"Device/{machine.key}", "type": "Device", "display": "CT 1 号机"}
    for appointment in (at_once, by_hold):
        assert device in [one["actor"] for one in appointment["participant"]]
    head = {"Authorization": f"Bearer {token}"}
    shown = client.get(f"/fhir/Device/{machine.key}", headers=head)
    assert (shown.status_code, shown.json()["deviceName"][0]["name"]) == (200, "CT 1 号机")
    assert device in client.get(f"/fhir/Schedule/{clinic.schedule.key}", headers=head).json()["actor"]
    assert client.get(f"/fhir/Slot/{first.key}", headers=head).json()["comment"] == "CT 1 号机"
    mine = client.get(f"/fhir/Appointment?actor=Device/{machine.key}", headers=head).json()
    assert mine["total"] == 2
    # Shown with every slot that turns, it is written once.
    with acting(system_actor(Purpose.HANDLER)) as system:
        showing.show(slot_ids=[first.pk, second.pk], actor=system, with_schedule=True)
    assert client.get(f"/fhir/Device/{machine.key}", headers=head).json()["meta"]["versionId"] == "1"


def test_an_appointment_in_another_room_names_that_room(client: Client) -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, open=2)
    token = _token(clinic)
    first = _ask(
        client, token, "Appointment/$book", slot=str(slot.key), patient=f"Patient/{clinic.resident.key}"
    ).json()
    assert not [one for one in first["participant"] if one["actor"]["reference"].startswith("Location/")]
    with acting(system_actor(Purpose.IMPORT)):
        room = Facility.objects.create(
            organization_id=clinic.world.lead, department=clinic.schedule.department, kind="room", name="305 诊室"
        )
        Slot.objects.filter(pk=slot.pk).update(facility=room)
    other = make_resident(
        name="吴秀英",
        number="439981195001010011",
        organization_id=clinic.world.village,
        panel_of=(clinic.world.village,),
    )
    # What the process remembers of the slot is how it was before.
    second = _ask(client, token, "Appointment/$book", slot=str(slot.key), patient=f"Patient/{other.key}").json()
    assert {"reference": f"Location/{room.key}", "type": "Location", "display": "305 诊室"} in [
        one["actor"] for one in second["participant"]
    ]


def test_book_at_once_with_a_key_books_once(client: Client) -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, open=2)
    token = _token(clinic)
    answers = [
        _ask(
            client,
            token,
            "Appointment/$book",
            {"Idempotency-Key": "k1"},
            slot=str(slot.key),
            patient=f"Patient/{clinic.resident.key}",
        )
        for _number in range(2)
    ]
    assert [one.status_code for one in answers] == [201, 201]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    with acting(system_actor(Purpose.INDICATORS)):
        assert Booking.objects.count() == 1
    busy = _ask(client, token, "Appointment/$book", slot=str(slot.key), patient=f"Patient/{clinic.resident.key}")
    assert busy.status_code == 409


def test_operations_refuse_what_they_cannot_read(client: Client) -> None:
    clinic = make_clinic()
    token = _token(clinic)
    assert _ask(client, token, "Slot/$hold", patient="Patient/x").status_code == 422
    assert _ask(client, token, "Appointment/$book", slot="x").status_code == 422
    assert _ask(client, token, "Slot/$hold", slot="x", patient=f"Patient/{clinic.resident.key}").status_code == 404
    assert client.get("/fhir/Slot/$find?origin=x", headers={"Authorization": f"Bearer {token}"}).status_code == 422
    misspelt = client.get("/fhir/Slot/$find?count=3", headers={"Authorization": f"Bearer {token}"})
    assert (misspelt.status_code, misspelt.json()["issue"][0]["expression"]) == (400, ["count"])
    assert client.post("/fhir/Appointment/$book").status_code == 401


def test_an_appointment_resource_books_and_its_status_cancels(client: Client) -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, open=1)
    headers = {"Authorization": f"Bearer {_token(clinic)}"}
    resource: dict[str, Any] = {
        "resourceType": "Appointment",
        "status": "booked",
        "slot": [{"reference": f"Slot/{slot.key}"}],
        "start": slot.starts_at.isoformat(),
        "end": slot.ends_at.isoformat(),
        "participant": [{"actor": {"reference": f"Patient/{clinic.resident.key}"}, "status": "accepted"}],
    }
    made = client.post(
        "/fhir/Appointment", data=orjson.dumps(resource), content_type="application/fhir+json", headers=headers
    )
    assert made.status_code == 201, made.content
    with acting(system_actor(Purpose.INDICATORS)):
        booking = Booking.objects.get()
    assert str(booking.key) in made.headers["Location"]
    gone = client.delete(f"/fhir/Appointment/{booking.key}", headers=headers)
    assert gone.status_code in (200, 204), gone.content
    with acting(system_actor(Purpose.INDICATORS)):
        booking.refresh_from_db()
    assert booking.state == "cancelled"


def test_a_late_machine_is_led_past_what_is_full(client: Client) -> None:
    clinic = make_clinic()
    now, village = timezone.now(), clinic.world.village
    token, late = _token(clinic), f"Patient/{clinic.resident.key}"
    slots = [make_slot(clinic, starts_at=now + timedelta(days=day), open=1) for day in (2, 3, 4, 5)]
    for slot, following in pairwise(slots):
        other = make_resident(organization_id=village, name="苏建国", number="", phone="", panel_of=(village,))
        made = _ask(client, token, "Appointment/$book", slot=str(slot.key), patient=f"Patient/{other.key}")
        assert made.status_code == 201, made.content
        refused = _ask(client, token, "Appointment/$book", slot=str(slot.key), patient=late)
        said = timezone.localtime(following.starts_at).strftime("%m-%d %H:%M")
        assert refused.status_code == 409
        assert f"最近可约：王主任 {said}" in refused.content.decode()


class _Looks:
    """Counts the looks at slots that a connection sends."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        self.count += "FROM scheduling_slot s" in sql
        return execute(sql, params, many, context)


@pytest.mark.django_db(transaction=True)
def test_many_late_machines_are_told_by_one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight threads of a burst are late for one slot: one looks for the next time, the others hear what it found."""
    monkeypatch.setattr(refusing, "_WAITS_SECONDS", 30.0)
    clinic = make_clinic()
    slot, later = make_slot(clinic, open=0), make_slot(clinic, starts_at=timezone.now() + timedelta(days=3), open=1)
    _token(clinic)
    with acting(system_actor(Purpose.SIGN_IN)):
        client = access_queries.client_by_name("village-his")
    assert client is not None
    actor, looks, told = of_system(client), _Looks(), []
    gate = threading.Barrier(8)

    def come() -> None:
        gate.wait()
        try:
            with connection.execute_wrapper(looks), acting(actor):
                refusing.refuse(Ask(actor=actor, now=timezone.now(), slot=slot.key), over=False)
        except NoPlaceLeft as refused:
            told.append(refused.next_slot.key if refused.next_slot else None)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=come) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # One look at the slot itself, one for the next.
    assert (told, looks.count) == ([later.key] * 8, 2)
