"""Booking in one statement leaves what the long way leaves, and remembers neither a slot nor a token too long."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from doorstep.coordination.scheduling import actions, at_once, precedence
from doorstep.coordination.scheduling.models import Booking, Place, Slot
from doorstep.coordination.scheduling.outcomes import Wish
from doorstep.coordination.scheduling.taking import Ask
from doorstep.coordination.scheduling.tests.factories import Clinic, make_clinic, make_slot
from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.models import ApiClient, CareRelationship
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.database.calls import Call, run
from doorstep.kernel.events.models import EventRow
from doorstep.kernel.record.models import Resource, ResourceVersion
from doorstep.kernel.record.search_facts import facts_of
from doorstep.kernel.record.search_index import index_of, index_of_facts
from doorstep.kernel.workflow.models import Step
from doorstep.people.organizations.models import Department
from doorstep.people.residents.tests.factories import make_resident

# What is another for every booking.
_OWN = {
    "id",
    "key",
    "at",
    "state_since",
    "created_at",
    "wanted_since",
    "hold_key",
    "place_id",
    "item_id",
    "item_key",
    "subject",
    "subject_id",
    "episode",
    "fhir_id",
    "ref",
    "content",
    "resource_id",
    "updated_at",
    "written_at",
    "opened_at",
    "transaction_number",
    "number",
    "held_until",
    "hold_key_id",
    "facts",
    "period",
    "slot_id",
    "occurred_at",
    "closes_at",
    "starts_at",
    "half_day",
}


def _token(clinic: Clinic) -> str:
    with acting(system_actor(Purpose.IMPORT)) as system:
        return access.issue_token(
            name="village-his", display="村医系统", organization_id=clinic.world.village, actor=system
        )


def _book(client: Client, token: str, slot: Slot, resident_key: object, key: str = "") -> Any:
    rows = [
        {"name": "slot", "valueString": str(slot.key)},
        {"name": "patient", "valueReference": {"reference": f"Patient/{resident_key}"}},
    ]
    headers = {"Authorization": f"Bearer {token}", **({"Idempotency-Key": key} if key else {})}
    return client.post(
        "/fhir/Appointment/$book",
        data=orjson.dumps({"resourceType": "Parameters", "parameter": rows}),
        content_type="application/fhir+json",
        headers=headers,
    )


def _left(key: str) -> dict[str, Any]:
    """Every row that a booking left, without what is another for each."""
    with acting(system_actor(Purpose.INDICATORS)):
        booking = Booking.objects.get(key=key)
        resource = Resource.objects.get(type="Appointment", fhir_id=key)
        content = {
            name: value
            for name, value in resource.content.items()
            if name not in ("id", "created", "meta", "slot", "start", "end")
        }
        index = index_of_facts(facts_of(resource.content), f"Appointment/{key}")
        assert (resource.ref, resource.keys, resource.present, resource.facts) == (
            index.ref,
            index.keys,
            index.present,
            index.facts,
        )
        rows: dict[str, Iterable[Any]] = {
            "booking": [booking],
            "place": [booking.place],
            "step": Step.objects.filter(item_key=key),
            "event": EventRow.objects.filter(subject=booking.subject),
            "entry": AuditEntry.objects.filter(subject=booking.subject),
            "resource": [resource],
            "version": ResourceVersion.objects.filter(resource_id=resource.pk),
            "sight": CareRelationship.objects.filter(episode=booking.subject),
        }
        left = {name: [_plain(row) for row in found] for name, found in rows.items()}
    return {**left, "content": content, "versions": resource.content["meta"]["versionId"]}


def _plain(row: Any) -> dict[str, Any]:
    values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    plain = {name: value for name, value in values.items() if name not in _OWN}
    if "details" in plain:
        plain["details"] = {name: value for name, value in plain["details"].items() if name != "slot_id"}
    return plain


def _long_way(clinic: Clinic, slot: Slot, actor: Actor) -> Booking:
    with acting(actor):
        ask = Ask(actor=actor, now=timezone.now(), slot=slot.key, resident_id=clinic.resident.pk, origin="open")
        return actions.take_and_insert(ask, wish=Wish())


@pytest.mark.django_db(transaction=True)
def test_book_alone_leaves_what_the_long_way_leaves(client: Client) -> None:
    clinic = make_clinic()
    first = make_slot(clinic, open=2)
    second = make_slot(clinic, starts_at=first.starts_at + timedelta(days=1), open=2)
    third = make_slot(clinic, starts_at=first.starts_at + timedelta(days=2), open=1)
    token, patient = _token(clinic), clinic.resident.key
    # The first request goes the ordinary way, as nobody remembers the token yet.
    short = _book(client, token, first, patient)
    assert short.status_code == 201, short.content
    with CaptureQueriesContext(
        connection,
    ) as sent:
        alone = _book(client, token, second, patient, "k1")
    assert alone.status_code == 201, alone.content
    assert [query["sql"].split("(")[0] for query in sent] == ["SELECT CASE WHEN site_enter_again"] * 2
    other = make_resident(
        organization_id=clinic.world.village, name="李四", number="", phone="", panel_of=(clinic.world.village,)
    )
    with CaptureQueriesContext(connection) as sent:
        once = _book(client, token, second, other.key)
    assert (once.status_code, len(sent)) == (201, 1)
    assert _book(client, token, second, patient, "k1").json()["id"] == alone.json()["id"]
    left = _left(alone.json()["id"])
    assert left == _left(short.json()["id"])
    with acting(system_actor(Purpose.IMPORT)):
        system = ApiClient.objects.get()
    actor = replace(
        clinic.doctor,
        kind=type(clinic.doctor.kind)("client"),
        user_id=-system.pk,
        role="client",
        client=system.name,
        display_name=system.display,
        address="127.0.0.1",
    )
    assert left == _left(str(_long_way(clinic, third, actor).key))
    found = client.get(
        f"/fhir/Appointment?patient={patient}&status=booked&slot=Slot/{second.key}",
        headers={"Authorization": f"Bearer {token}"},
    ).json()
    assert [one["resource"]["id"] for one in found["entry"]] == [alone.json()["id"]]


@pytest.mark.django_db(transaction=True)
def test_book_alone_asks_again_what_it_remembers(client: Client) -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, open=3)
    token, patient = _token(clinic), clinic.resident.key
    others = [
        make_resident(organization_id=clinic.world.village, name=f"居民{number}", number="", phone="", panel_of=panel)
        for number, panel in enumerate([(clinic.world.village,), ()])
    ]
    assert _book(client, token, slot, patient).status_code == 201
    with acting(system_actor(Purpose.IMPORT)):
        Department.objects.filter(id=clinic.schedule.department_id).update(name="心内科")
    renamed = _book(client, token, slot, others[0].key)
    assert renamed.json()["participant"][1]["actor"]["display"] == "心内科"
    # Whom the village does not see, nobody can book; nor the same person twice at a time.
    assert _book(client, token, slot, others[1].key).status_code == 404
    busy = _book(client, token, slot, patient)
    assert (busy.status_code, "已有其他预约" in busy.content.decode()) == (409, True)
    with acting(system_actor(Purpose.IMPORT)):
        assert sorted(Place.objects.values_list("state", flat=True)) == ["booked", "booked", "free"]
        Place.objects.filter(state="free").update(state="closed")
    sold_out = _book(client, token, slot, others[1].key)
    assert (sold_out.status_code, "刚刚约满" in sold_out.content.decode()) == (409, True)
    with acting(system_actor(Purpose.IMPORT)):
        Slot.objects.filter(pk=slot.pk).update(stopped_at=timezone.now(), stop_reason="医师外出")
    assert "停诊" in _book(client, token, slot, others[0].key).content.decode()
    with acting(system_actor(Purpose.IMPORT)):
        ApiClient.objects.update(revoked_at=timezone.now())
    assert _book(client, token, slot, others[0].key).status_code == 401


@pytest.mark.django_db
def test_who_stands_twice_in_a_list_hears_of_the_own_booking_and_not_that_all_is_sold() -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, open=1)
    other = make_resident(
        organization_id=clinic.world.village, name="李四", number="", phone="", panel_of=(clinic.world.village,)
    )

    def ask(patient: UUID) -> Ask:
        return Ask(
            actor=clinic.doctor,
            now=timezone.now(),
            slot=slot.key,
            resident_key=patient,
            request=uuid4(),
            origin="open",
            unit=clinic.world.village,
        )

    with acting(clinic.doctor):
        look = orjson.loads(
            run([Call("scheduling_book", at_once.prepared(ask(clinic.resident.key), seen=None, wish=Wish())[1])])[0]
        )
        at_once._remember(slot.key, look["seen"])
        calls = [
            at_once.listed(at_once.prepared(ask(patient), seen=at_once.known(slot.key), wish=Wish())[1])
            for patient in (clinic.resident.key, clinic.resident.key, other.key)
        ]
        answers = orjson.loads(run([Call("scheduling_book_all", (f"[{','.join(calls)}]",))])[0])
    assert [one["outcome"] for one in answers] == ["taken", "refused", "sold-out"]
    assert answers[1]["constraint"] == "booking_half_day_once"


def test_elders_born_by_agrees_with_age() -> None:
    for today in (date(2026, 11, 22), date(2028, 2, 29), date(2029, 2, 28), date(2029, 3, 1)):
        bound = precedence.elders_born_by(today)
        assert precedence.age_on(bound, today) == precedence.ELDER_FROM
        assert precedence.age_on(bound + timedelta(days=1), today) == precedence.ELDER_FROM - 1


def test_index_of_is_the_same_by_a_stencil() -> None:
    def appointment(patient: str, place: str) -> dict[str, Any]:
        return {
            "resourceType": "Appointment",
            "id": f"a-{patient}",
            "status": "booked",
            "start": "2026-11-23T01:00:00+00:00",
            "created": place,
            "participant": [
                {"actor": {"reference": f"Patient/{patient}", "type": "Patient"}, "status": "accepted"},
                {"actor": {"reference": "HealthcareService/s1", "display": "内科"}, "status": "accepted"},
            ],
        }

    for one in (appointment("p1", "x"), appointment("p2", "y"), appointment("p1", "z")):
        assert index_of(one) == index_of_facts(facts_of(one), f"Appointment/{one['id']}")
    # A patient who is named where texts are compared has no stencil.
    named = {**appointment("p1", "x"), "specialty": [{"text": "Patient/p1"}]}
    assert index_of(named) == index_of_facts(facts_of(named), f"Appointment/{named['id']}")
