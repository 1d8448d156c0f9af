"""Bookings that share a statement: each is decided as if it came alone, in the order of the list, and leaves the same rows."""

import re
import uuid
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from doorstep.coordination.scheduling import at_once
from doorstep.coordination.scheduling.fhir import booking_resources
from doorstep.coordination.scheduling.models import Booking, Place, Slot
from doorstep.coordination.scheduling.outcomes import Wish
from doorstep.coordination.scheduling.stencils import stencil_of
from doorstep.coordination.scheduling.taking import Ask
from doorstep.coordination.scheduling.tests.factories import Clinic, make_clinic, make_slot
from doorstep.coordination.scheduling.tests.test_at_once import _book, _left, _token
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.models import CareRelationship
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.database.calls import Call, as_json, run
from doorstep.kernel.events.models import EventRow
from doorstep.kernel.fhir import door
from doorstep.kernel.record.models import Resource, ResourceVersion
from doorstep.kernel.record.search_index import number
from doorstep.kernel.workflow.models import Step
from doorstep.people.residents.models import Resident
from doorstep.people.residents.tests.factories import make_resident

pytestmark = pytest.mark.django_db(transaction=True)


def _people(clinic: Clinic, count: int) -> list[Resident]:
    panel = (clinic.world.village,)
    return [
        make_resident(organization_id=panel[0], name=f"居民{number}", number="", phone="", panel_of=panel)
        for number in range(count)
    ]


def _learn(client: Client, clinic: Clinic, *slots: Slot) -> tuple[str, Actor]:
    """A token that the process remembers, its actor, and slots that the process has seen: each is booked once, by somebody else."""
    token = _token(clinic)
    # The first request goes the ordinary way, as nobody remembers the token yet.
    for slot, resident in zip((slots[0], *slots), _people(clinic, len(slots) + 1), strict=True):
        answer = _book(client, token, slot, resident.key)
        assert answer.status_code == 201, answer.content
    entry = door.remembered({"HTTP_AUTHORIZATION": f"Bearer {token}"})
    assert entry is not None
    return token, entry.grant.actor


def _together(actor: Actor, *wanted: tuple[Slot, Resident] | tuple[Slot, Resident, uuid.UUID]) -> list[Any]:
    """What a list of calls is answered, in one statement of this actor."""
    calls = []
    for slot, resident, *key in wanted:
        ask = Ask(
            actor=actor,
            now=timezone.now(),
            slot=slot.key,
            resident_key=resident.key,
            request=key[0] if key else uuid.uuid4(),
            origin="open",
            unit=actor.organization_id,
        )
        seen = at_once.known(slot.key)
        assert seen is not None
        calls.append(at_once.listed(at_once.prepared(ask, seen=seen, wish=Wish())[1]))
    with acting(actor):
        answers: list[Any] = orjson.loads(run([Call("scheduling_book_all", (f"[{','.join(calls)}]",))])[0])
    return answers


def _outcomes(answers: list[Any]) -> list[str]:
    return [answer["outcome"] for answer in answers]


def test_list_leaves_for_each_what_one_alone_leaves(client: Client) -> None:
    clinic = make_clinic()
    first = make_slot(clinic, open=9)
    second = make_slot(clinic, starts_at=first.starts_at + timedelta(days=1), open=9)
    _, actor = _learn(client, clinic, first, second)
    people = _people(clinic, 3)
    with acting(actor):
        alone = _together(actor, (first, people[0]))
    answers = _together(actor, (first, people[1]), (second, people[0]), (second, people[2]))
    assert _outcomes(alone + answers) == ["taken"] * 4
    with acting(system_actor(Purpose.INDICATORS)):
        keys = [str(Booking.objects.get(pk=one["booking"]).key) for one in (*alone, *answers)]
        assert [(b.resident_id, b.slot_id) for b in (Booking.objects.get(key=key) for key in keys)] == [
            (people[0].pk, first.pk),
            (people[1].pk, first.pk),
            (people[0].pk, second.pk),
            (people[2].pk, second.pk),
        ]
    left = [_without_persons(_left(key)) for key in keys]
    assert left[1:] == left[:1] * 3
    for key in keys:
        with acting(system_actor(Purpose.INDICATORS)):
            booking = Booking.objects.get(key=key)
            places = dict.fromkeys(("step", "event", "entry"), booking.pk)
            assert list(Step.objects.filter(item_key=key).values_list("item_id", flat=True)) == [places["step"]]
            event = EventRow.objects.get(subject=booking.subject)
            entry = AuditEntry.objects.get(subject=booking.subject)
            assert (event.subject_id, event.details["quota"], entry.details["quota"]) == (booking.pk, "open", "open")
            owners = {
                booking.resident_id,
                event.resident_id,
                entry.resident_id,
                Step.objects.get(item_key=key).resident_id,
                Resource.objects.get(type="Appointment", fhir_id=key).resident_id,
                ResourceVersion.objects.get(resource__fhir_id=key).resident_id,
                CareRelationship.objects.get(episode=booking.subject).resident_id,
            }
            assert owners == {booking.resident_id}


def _without_persons(left: dict[str, Any]) -> dict[str, Any]:
    rows = {
        name: [{**row, "resident_id": 0, "resident_key": 0} for row in found]
        for name, found in left.items()
        if isinstance(found, list)
    }
    content = {**left["content"], "participant": left["content"]["participant"][1:]}
    return {**rows, "content": content, "versions": left["versions"]}


def test_list_decides_each_by_itself_and_in_order(client: Client) -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, open=4)
    later = make_slot(clinic, starts_at=slot.starts_at + timedelta(days=1), open=9)
    _, actor = _learn(client, clinic, slot, later)
    people = _people(clinic, 4)
    stranger = make_resident(organization_id=clinic.world.lead, name="外人", number="", phone="", panel_of=())
    with acting(system_actor(Purpose.INDICATORS)):
        # Two of four places are left after _learn.
        assert Place.objects.filter(slot=slot, state="free").count() == 2
    key = uuid.uuid4()
    answers = _together(
        actor,
        (slot, people[0], key),
        (slot, people[0], key),
        (later, people[0]),
        (later, people[0]),
        (slot, stranger),
        (slot, people[1]),
        (slot, people[2]),
        (later, people[2]),
    )
    assert _outcomes(answers) == [
        "taken", "earlier", "taken", "refused", "no-resident", "taken", "sold-out", "taken",
    ]  # fmt: skip
    with acting(system_actor(Purpose.INDICATORS)):
        assert str(Booking.objects.get(pk=answers[0]["booking"]).key) == answers[1]["booking"]
        assert answers[3]["constraint"] in ("booking_half_day_once", "booking_resident_one_at_a_time")
        rows = Booking.objects.filter(slot=slot, resident__in=people)
        assert {row.resident_id for row in rows} == {people[0].pk, people[1].pk}
        for row in Booking.objects.all():
            assert Step.objects.filter(item_key=row.key).count() == 1
            assert EventRow.objects.filter(subject=row.subject).count() == 1
        assert Place.objects.filter(state="booked").count() == Booking.objects.count()
        assert Resource.objects.filter(type="Appointment").count() == Booking.objects.count()


def test_list_of_which_one_is_refused_keeps_the_others(client: Client) -> None:
    """Somebody who is expected elsewhere at that time is found by the constraint alone, in the middle of the others."""
    clinic = make_clinic()
    slot = make_slot(clinic, open=9)
    _, actor = _learn(client, clinic, slot)
    people = _people(clinic, 5)
    # Another clinic at the same time, of which the actor of this list knows nothing.
    with acting(system_actor(Purpose.IMPORT)):
        booking = Booking.objects.get(slot=slot, resident__name="居民0")
        Booking.objects.filter(pk=booking.pk).update(resident_id=people[2].pk, half_day="other/clinic")
    answers = _together(actor, *((slot, one) for one in people))
    assert _outcomes(answers) == ["taken", "taken", "refused", "taken", "taken"]
    assert answers[2]["state"] == "23P01"
    with acting(system_actor(Purpose.INDICATORS)):
        assert Booking.objects.filter(slot=slot, resident__in=people).count() == 5
        assert Place.objects.filter(slot=slot, state="booked").count() == 6
        assert Step.objects.filter(machine="booking").count() == Booking.objects.count()
        assert EventRow.objects.filter(name="BookingMade").count() == Booking.objects.count()


def test_list_is_written_once_for_all(client: Client) -> None:
    """Sixteen bookings are written by as many statements as one: all their rows bear the number of one subtransaction."""
    clinic = make_clinic()
    slot = make_slot(clinic, open=40)
    _, actor = _learn(client, clinic, slot)
    people = _people(clinic, 16)
    assert _outcomes(_together(actor, *((slot, one) for one in people))) == ["taken"] * 16
    tables = {"workflow_step": "resident_id", "events_eventrow": "resident_id", "record_resourceversion": "resident_id"}
    with acting(system_actor(Purpose.INDICATORS)), connection.cursor() as cursor:
        for table, column in tables.items():
            cursor.execute(
                f"SELECT count(*), count(DISTINCT xmin::text) FROM {table} WHERE {column} = ANY (%s)"
                + (" AND content ->> 'resourceType' = 'Appointment'" if table.endswith("version") else "")
                + (" AND name = 'BookingMade'" if table.startswith("events") else ""),
                [[one.pk for one in people]],
            )
            assert cursor.fetchone() == (16, 1), table


def test_stencil_says_what_preparing_says(client: Client) -> None:
    """By a stencil or from nothing: the same arguments and the same Appointment, but for the booking's own key and the moment."""
    clinic = make_clinic()
    slot = make_slot(clinic, open=9)
    _, actor = _learn(client, clinic, slot)
    one, other = _people(clinic, 2)
    seen = at_once.known(slot.key)
    assert seen is not None
    asks = [
        Ask(
            actor=actor,
            now=timezone.now(),
            slot=slot.key,
            resident_key=resident.key,
            request=uuid.uuid4(),
            unit=actor.organization_id,
        )
        for resident in (one, other)
    ]
    drafted = [at_once.prepared(ask, seen=seen, wish=Wish()) for ask in asks]
    first = drafted[0][0]
    assert first is not None
    stencil = stencil_of(first, drafted[0][1], at_once.listed(drafted[0][1]))
    assert stencil is not None
    second, arguments = drafted[1]
    assert second is not None
    patient, request = asks[1].resident_key, asks[1].request
    assert patient is not None
    assert request is not None
    filled = stencil.filled(patient=patient, request=request, now=asks[1].now)
    wanted = at_once.listed(arguments).replace(str(second.key), str(filled.key))
    ref, own_ref = (number(f"Appointment/{key}") for key in (second.key, filled.key))
    assert _without_moments(filled.arguments) == _without_moments(wanted.replace(str(ref), str(own_ref)))
    appointment = as_json(booking_resources(second)[0].content).replace(str(second.key), str(filled.key))
    assert _without_moments(filled.appointment.decode()) == _without_moments(appointment)
    assert str(one.key) not in filled.arguments


def _without_moments(text: str) -> Any:
    """The JSON without instants of today's minute: both were made now, one a moment after the other."""
    near = timezone.now().isoformat()[:13]
    return orjson.loads(re.sub(rf'"{near}[^"]*"', '"now"', text))
