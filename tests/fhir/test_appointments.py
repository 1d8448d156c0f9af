"""Appointments as a hospital's own system has them: found, kept, booked, moved, answered, called off, and out of others' sight."""

from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.test import Client
from django.utils import timezone

from doorstep.coordination.scheduling import showing, stopping_actions, waiting_actions
from doorstep.coordination.scheduling.fhir import PREVIOUS
from doorstep.coordination.scheduling.models import Booking, Place, Rebooking, Slot, WaitingEntry
from doorstep.coordination.scheduling.tests.factories import Clinic, book_for, make_clinic, make_slot
from doorstep.coordination.scheduling.waiting_actions import Want
from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.people.residents.tests.factories import make_resident

pytestmark = pytest.mark.django_db


class System:
    """A hospital's system with its token."""

    def __init__(self, client: Client, name: str, organization_id: int) -> None:
        self.client = client
        with acting(system_actor(Purpose.IMPORT)) as system:
            self.token = access.issue_token(name=name, display=name, organization_id=organization_id, actor=system)

    def ask(self, method: str, path: str, body: Any = None, kind: str = "application/fhir+json") -> Any:
        """Send a request; the answer as Django's client has it."""
        return self.client.generic(
            method,
            f"/fhir/{path}",
            orjson.dumps(body) if body is not None else b"",
            content_type=kind,
            headers={"Authorization": f"Bearer {self.token}"},
        )

    def call(self, path: str, **values: Any) -> Any:
        """An operation with its parameters."""
        rows = [{"name": name, _typed(value): value} for name, value in values.items()]
        return self.ask("POST", path, {"resourceType": "Parameters", "parameter": rows})


def _typed(value: Any) -> str:
    return "valueBoolean" if isinstance(value, bool) else "valueInteger" if isinstance(value, int) else "valueString"


@pytest.fixture
def clinic() -> Clinic:
    return make_clinic()


@pytest.fixture
def village(client: Client, clinic: Clinic) -> System:
    return System(client, "village-his", clinic.world.village)


@pytest.fixture
def lead(client: Client, clinic: Clinic) -> System:
    return System(client, "lead-his", clinic.world.lead)


@pytest.fixture
def foreign(client: Client, clinic: Clinic) -> System:
    return System(client, "foreign-his", clinic.world.other_township)


def _later(clinic: Clinic, hours: int, **places: int) -> Slot:
    return make_slot(clinic, starts_at=timezone.now() + timedelta(days=1, hours=hours), **places)


def _show(*slots: Slot) -> None:
    with acting(system_actor(Purpose.CLOCKS)) as house:
        showing.show(slot_ids=[slot.pk for slot in slots], with_schedule=True, actor=house)


def _said(answer: Any) -> list[str]:
    assert answer.json()["resourceType"] == "OperationOutcome"
    return [one["diagnostics"] for one in answer.json()["issue"]]


def _booked(village: System, clinic: Clinic, slot: Slot) -> str:
    made = village.call("Appointment/$book", slot=str(slot.key), patient=f"Patient/{clinic.resident.key}")
    assert made.status_code == 201, made.content
    return str(made.json()["id"])


def test_another_time_is_a_new_appointment_and_a_put_says_so(village: System, clinic: Clinic) -> None:
    first, second = make_slot(clinic, open=1), _later(clinic, 24, open=1)
    made = _booked(village, clinic, first)
    shown = village.ask("GET", f"Appointment/{made}").json()
    wanted = {**shown, "slot": [{"reference": f"Slot/{second.key}"}]}
    for body in (wanted, {**shown, "start": second.starts_at.isoformat()}):
        refused = village.ask("PUT", f"Appointment/{made}", body)
        assert refused.status_code == 422, refused.content
        assert "$change" in str(_said(refused))
    patch = [{"op": "replace", "path": "/start", "value": second.starts_at.isoformat()}]
    assert village.ask("PATCH", f"Appointment/{made}", patch, "application/json-patch+json").status_code == 422
    other = make_resident(organization_id=clinic.world.village, name="郑秋菊", number="", phone="")
    people = [{"actor": {"reference": f"Patient/{other.key}"}, "status": "accepted"}]
    assert village.ask("PUT", f"Appointment/{made}", {**shown, "participant": people}).status_code == 422
    # What is not changed is no fault, in whatever zone the time is written.
    local = timezone.localtime(first.starts_at).isoformat()
    assert village.ask("PUT", f"Appointment/{made}", {**shown, "start": local}).status_code == 200

    moved = village.call("Appointment/$change", appointment=f"Appointment/{made}", slot=f"Slot/{second.key}")
    assert moved.status_code == 201, moved.content
    again = village.call("Appointment/$change", appointment=made, slot=str(second.key))
    assert again.json()["id"] == moved.json()["id"] != made
    assert moved.headers["Location"].endswith(f"Appointment/{moved.json()['id']}")
    assert moved.json()["slot"][0]["reference"] == f"Slot/{second.key}"
    gone = village.ask("GET", f"Appointment/{made}").json()
    assert (gone["status"], gone["cancelationReason"]["text"]) == ("cancelled", "改约到其他时间")
    # What it replaced, and for what: the same in the answer and in the record, by whichever way it was booked.
    for one in (moved.json(), village.ask("GET", f"Appointment/{moved.json()['id']}").json()):
        (said,) = one["extension"]
        assert (said["url"], said["valueReference"]["reference"]) == (PREVIOUS, f"Appointment/{made}")
    assert "extension" not in gone
    code = clinic.schedule.department.code
    for one in (moved.json(), gone):
        assert [each["coding"][0]["code"] for each in one["specialty"]] == [code]
        assert one["serviceType"][0]["coding"][0]["code"] == clinic.schedule.service
    found = village.ask("GET", f"Appointment?specialty={code}").json()
    assert {one["resource"]["id"] for one in found["entry"]} == {made, moved.json()["id"]}
    with acting(system_actor(Purpose.INDICATORS)):
        assert sorted(Place.objects.values_list("state", flat=True)) == ["booked", "free"]
    # Both or neither: who finds the new time full keeps the old one.
    full = _later(clinic, 48, own=1)
    late = village.call("Appointment/$change", appointment=moved.json()["id"], slot=str(full.key))
    assert late.status_code == 409
    assert village.ask("GET", f"Appointment/{moved.json()['id']}").json()["status"] == "booked"


def test_a_find_says_what_it_cannot_read_and_leads_to_the_schedule(village: System, clinic: Clinic) -> None:
    slot = make_slot(clinic, open=1)
    _show(slot)
    found = village.ask("GET", f"Slot/$find?organization={clinic.world.lead}").json()["entry"][0]["resource"]
    assert found["schedule"]["reference"] == f"Schedule/{clinic.schedule.key}"
    schedule = village.ask("GET", found["schedule"]["reference"]).json()
    assert schedule["specialty"][0]["coding"][0]["code"] == clinic.schedule.department.code
    assert found["specialty"] == [{"text": schedule["specialty"][0]["text"]}]
    for kind in ("Schedule", "Slot"):
        by_code = village.ask("GET", f"{kind}?specialty={clinic.schedule.department.code}").json()
        assert [one["resource"]["resourceType"] for one in by_code["entry"]] == [kind]
    for wrong in ("²", "-1", "x"):
        assert village.ask("GET", f"Slot/$find?_count={wrong}").status_code == 422, wrong
    assert village.ask("GET", f"Slot/$find?organization={clinic.world.lead}&_count={'9' * 40}").status_code == 200
    patient = f"Patient/{clinic.resident.key}"
    assert village.call("Slot/$hold", slot=str(slot.key), patient=patient, minutes=True).status_code == 422


def test_an_answer_to_an_appointment_is_carried_out(village: System, foreign: System, clinic: Clinic) -> None:
    slot = make_slot(clinic, open=1)
    made, patient = _booked(village, clinic, slot), f"Patient/{clinic.resident.key}"

    def answer(status: str, *, by: System = village, of: str = made, **more: Any) -> Any:
        body = {
            "resourceType": "AppointmentResponse",
            "appointment": {"reference": f"Appointment/{of}"},
            "actor": {"reference": patient},
            "participantStatus": status,
            **more,
        }
        return by.ask("POST", "AppointmentResponse", body)

    assert answer("declined", by=foreign).status_code in (404, 422)
    assert answer("tentative").status_code == 422
    assert answer("declined", actor={"reference": "Patient/00000000-0000-4000-8000-000000000001"}).status_code == 422
    yes = answer("accepted")
    assert yes.status_code == 201, yes.content
    no = answer("declined", comment="外出打工")
    assert no.status_code == 201, no.content
    gone = village.ask("GET", f"Appointment/{made}").json()
    assert (gone["status"], gone["cancelationReason"]["text"]) == ("cancelled", "外出打工")
    kept = village.ask("GET", f"AppointmentResponse?appointment=Appointment/{made}").json()["entry"]
    assert sorted(one["resource"]["participantStatus"] for one in kept) == ["accepted", "declined"]
    assert village.ask("DELETE", f"AppointmentResponse/{no.json()['id']}").status_code == 409
    late = answer("accepted")
    assert late.status_code == 409
    assert "已取消" in _said(late)[0]


def test_an_offer_of_the_waiting_list_is_answered(village: System, clinic: Clinic) -> None:
    _later(clinic, 24, community=1)
    with acting(clinic.doctor) as li:
        today = timezone.localdate()
        want = Want(
            department_id=clinic.schedule.department_id,
            origin="community",
            first_day=today,
            last_day=today + timedelta(days=14),
        )
        entry = waiting_actions.join(resident_id=clinic.resident.pk, want=want, actor=li)
    patient = f"Patient/{clinic.resident.key}"

    def answer(status: str) -> Any:
        body = {
            "resourceType": "AppointmentResponse",
            "appointment": {"reference": f"Appointment/{entry.key}"},
            "actor": {"reference": patient},
            "participantStatus": status,
        }
        return village.ask("POST", "AppointmentResponse", body)

    def status() -> str:
        return str(village.ask("GET", f"Appointment/{entry.key}").json()["status"])

    def offer() -> None:
        with acting(system_actor(Purpose.CLOCKS)) as house:
            assert waiting_actions.offer_freed(actor=house) == 1

    assert (status(), answer("accepted").status_code) == ("waitlist", 409)
    offer()
    assert status() == "proposed"
    assert answer("declined").status_code == 201
    assert status() == "waitlist"
    # What was declined does not come back; another half day does.
    slot = _later(clinic, 72, community=1)
    offer()
    assert answer("accepted").status_code == 201
    assert status() == "fulfilled"
    assert answer("declined").status_code == 409
    booked = village.ask("GET", f"Appointment?patient={patient}&status=booked").json()["entry"]
    assert booked[0]["resource"]["slot"][0]["reference"] == f"Slot/{slot.key}"
    with acting(system_actor(Purpose.INDICATORS)):
        assert WaitingEntry.objects.get().state == "booked"


def test_a_stopped_clinic_is_seen_with_its_reason_and_taken_back(
    village: System, lead: System, foreign: System, clinic: Clinic
) -> None:
    """Twenty people of a stopped time: each Appointment is cancelled with the reason, each has its Task; then the time takes place after all."""
    slot = make_slot(clinic, open=20)
    people = [
        make_resident(
            organization_id=clinic.world.village,
            name=f"居民{number}",
            number="",
            phone="",
            panel_of=(clinic.world.village,),
        )
        for number in range(20)
    ]
    keys = [str(book_for(clinic, slot, one, origin="open").key) for one in people]
    _show(slot)
    shown = lead.ask("GET", f"Slot/{slot.key}").json()
    assert lead.ask("PUT", f"Slot/{slot.key}", {**shown, "end": "2030-01-01T00:00:00Z"}).status_code == 422
    stop = {**shown, "status": "busy-unavailable", "comment": "专家外出会诊"}
    assert foreign.ask("PUT", f"Slot/{slot.key}", stop).status_code == 404
    assert lead.ask("PUT", f"Slot/{slot.key}", stop).status_code == 200
    with acting(system_actor(Purpose.HANDLER)) as house:
        assert stopping_actions.call_off(slot_ids=[slot.pk], reason="专家外出会诊", actor=house) == 20
    gone = village.ask("GET", f"Appointment?slot=Slot/{slot.key}&_count=50").json()["entry"]
    said = {(one["resource"]["status"], one["resource"]["cancelationReason"]["text"]) for one in gone}
    assert (len(gone), said) == (20, {("cancelled", "停诊：专家外出会诊")})
    tasks = village.ask("GET", "Task?status=requested&_count=50").json()["entry"]
    assert {one["resource"]["focus"]["reference"] for one in tasks} == {f"Appointment/{key}" for key in keys}
    for kind in ("Appointment", "Task"):
        assert foreign.ask("GET", f"{kind}?_count=50").json().get("entry", []) == []
    refused = village.call("Appointment/$book", slot=str(slot.key), patient=f"Patient/{people[0].key}")
    assert refused.status_code == 409
    assert "停诊" in _said(refused)[0]
    assert lead.ask("PUT", f"Slot/{slot.key}", {**shown, "status": "free"}).status_code == 200
    with acting(system_actor(Purpose.INDICATORS)):
        assert Slot.objects.get(pk=slot.pk).stopped_at is None
        assert Rebooking.objects.filter(state="open").count() == 20


def test_another_hospital_sees_and_touches_no_appointment(village: System, foreign: System, clinic: Clinic) -> None:
    slot, second = make_slot(clinic, open=1), _later(clinic, 24, open=1)
    made = _booked(village, clinic, slot)
    shown = village.ask("GET", f"Appointment/{made}").json()
    assert foreign.ask("GET", f"Appointment/{made}").status_code == 404
    assert foreign.ask("GET", f"Appointment/{made}/_history").status_code == 404
    for query in ("", f"?_id={made}", f"?slot=Slot/{slot.key}", f"?patient=Patient/{clinic.resident.key}"):
        assert foreign.ask("GET", f"Appointment{query}").json().get("entry", []) == [], query
    found = foreign.ask("GET", f"Slot?_id={slot.key}&_revinclude=Appointment:slot").json().get("entry", [])
    assert {one["resource"]["resourceType"] for one in found} <= {"Slot"}
    assert foreign.ask("PUT", f"Appointment/{made}", {**shown, "status": "cancelled"}).status_code == 404
    assert foreign.call("Appointment/$change", appointment=made, slot=str(second.key)).status_code == 404
    assert foreign.call("Appointment/$cancel", appointment=made, reason="x").status_code == 404
    assert foreign.ask("DELETE", f"Appointment/{made}").status_code == 404
    taken = foreign.call("Appointment/$book", slot=str(second.key), patient=f"Patient/{clinic.resident.key}")
    assert taken.status_code == 404
    with acting(system_actor(Purpose.INDICATORS)):
        assert Booking.objects.get().state == "booked"


def test_nobody_checks_in_before_the_day(village: System, lead: System, clinic: Clinic) -> None:
    early = _booked(village, clinic, make_slot(clinic, open=1))
    shown = lead.ask("GET", f"Appointment/{early}").json()
    refused = lead.ask("PUT", f"Appointment/{early}", {**shown, "status": "arrived"})
    assert refused.status_code == 409
    assert "就诊当天" in _said(refused)[0]
    assert lead.ask("GET", f"Appointment/{early}").json()["status"] == "booked"
    other = make_resident(
        organization_id=clinic.world.village, name="郑秋菊", number="", phone="", panel_of=(clinic.world.village,)
    )
    today = make_slot(clinic, starts_at=timezone.now() + timedelta(seconds=30), open=1)
    made = village.call("Appointment/$book", slot=str(today.key), patient=f"Patient/{other.key}").json()
    assert lead.ask("PUT", f"Appointment/{made['id']}", {**made, "status": "arrived"}).status_code == 200
