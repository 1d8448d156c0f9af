"""Opening a visit and measuring during it."""

from datetime import UTC, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from doorstep.coordination.visits import actions, queries
from doorstep.coordination.visits.models import Visit
from doorstep.kernel.access import queries as access
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Conflict, NotFound, NotPermitted, Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.events.models import EventRow
from doorstep.kernel.record import queries as record
from doorstep.people.residents import presenters
from doorstep.people.residents.models import PanelEntry, Resident
from doorstep.people.residents.tests.factories import World, make_resident, make_staff, make_world
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db


def _here() -> tuple[World, Resident, Actor]:
    world = make_world()
    resident = make_resident(organization_id=world.village, panel_of=(world.village,))
    actor = of_user(make_staff(name="李长河", organization_id=world.village, role="village_doctor"))
    return world, resident, actor


def test_open_visit_with_contract_leaves_its_traces() -> None:
    world, resident, actor = _here()
    with acting(actor):
        visit = actions.open_visit(resident_id=resident.id, actor=actor, complaint="头晕三天")
        encounter = record.read(type="Encounter", fhir_id=str(visit.key))
        assert encounter is not None
        assert encounter["status"] == "in-progress"
        assert encounter["subject"]["reference"] == f"Patient/{resident.key}"
        opened = [
            one for one in access.list_relationships(resident_id=resident.id, actor=actor) if one.reason == "visit"
        ]
        assert [(one.episode, one.scope, one.basis) for one in opened] == [(visit.subject, "full", "头晕三天")]
        assert opened[0].closes_at is not None
        assert PanelEntry.objects.filter(organization_id=world.village, resident=resident).count() == 1
        assert EventRow.objects.filter(name="VisitOpened", subject=visit.subject).count() == 1
        assert AuditEntry.objects.filter(action="visit.open", resident_id=resident.id).count() == 1
        assert [one.key for one in queries.visits_today(actor)] == [visit.key]


def test_open_visit_by_stranger_is_not_found_and_leaves_nothing() -> None:
    world, resident, _ = _here()
    stranger = of_user(make_staff(name="赵远", organization_id=world.other_village, role="village_doctor"))
    with acting(stranger):
        with pytest.raises(NotFound):
            actions.open_visit(resident_id=resident.id, actor=stranger)
        assert not Visit.objects.exists()


def test_visits_of_today_turn_at_midnight_in_china() -> None:
    """The clock of the process stands still around the next midnight: the row holds UTC, the list the day of China."""
    _, resident, actor = _here()
    turn = queries.midnight() + timedelta(days=1)
    assert turn.astimezone(UTC).hour == 16
    with time_machine.travel(turn - timedelta(seconds=1), tick=False), acting(actor):
        visit = actions.open_visit(resident_id=resident.id, actor=actor)
        assert [one.key for one in queries.visits_today(actor)] == [visit.key]
        with connection.cursor() as cursor:
            cursor.execute("SELECT created_at AT TIME ZONE 'UTC' FROM visits_visit WHERE id = %s", [visit.pk])
            assert cursor.fetchone() == (turn.astimezone(UTC).replace(tzinfo=None) - timedelta(seconds=1),)
    with time_machine.travel(turn, tick=False), acting(actor):
        assert queries.midnight() == turn
        assert queries.visits_today(actor) == []
        # What was left open yesterday is finished by the visit of the new day.
        following = actions.open_visit(resident_id=resident.id, actor=actor)
        visit.refresh_from_db()
        assert (visit.state, following.key != visit.key) == ("finished", True)
        assert [one.key for one in queries.visits_today(actor)] == [following.key]


def test_open_visit_twice_returns_the_running_one() -> None:
    _, resident, actor = _here()
    with acting(actor):
        first = actions.open_visit(resident_id=resident.id, actor=actor)
        assert actions.open_visit(resident_id=resident.id, actor=actor).key == first.key


def test_record_vitals_publishes_panel_and_danger() -> None:
    _, resident, actor = _here()
    with acting(actor):
        visit = actions.open_visit(resident_id=resident.id, actor=actor)
        done = actions.record_vitals(
            visit=visit, actor=actor, systolic=186, diastolic=112, heart_rate=88, temperature=Decimal("36.5")
        )
        assert done.danger is not None
        assert "180/110" in done.danger.title
        panel = record.latest_observation(resident_id=resident.id, code="http://loinc.org|85354-9")
        assert panel is not None
        assert [part["valueQuantity"]["value"] for part in panel["component"]] == [186.0, 112.0]
        assert panel["encounter"]["reference"] == f"Encounter/{visit.key}"
        assert len(done.observation_ids) == 3
        assert {one.episode for one in record.of_episode(episode=visit.subject)} == {visit.subject}


@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        ({}, "systolic", "refused"),
        ({"systolic": 130}, "diastolic", "refused"),
        ({"systolic": 80, "diastolic": 130}, "diastolic", "refused"),
        ({"systolic": 1300, "diastolic": 80}, "systolic", "refused"),
        ({"systolic": 240, "diastolic": 100}, "systolic", "confirm"),
    ],
)
def test_record_vitals_refuses_with_field(values: dict[str, int], field: str, code: str) -> None:
    _, resident, actor = _here()
    with acting(actor):
        visit = actions.open_visit(resident_id=resident.id, actor=actor)
        with pytest.raises(Refused) as refused:
            actions.record_vitals(visit=visit, actor=actor, **values)  # type: ignore[arg-type]
        assert list(refused.value.fields) == [field]
        assert refused.value.code == code


def test_record_vitals_confirmed_value_is_kept() -> None:
    _, resident, actor = _here()
    with acting(actor):
        visit = actions.open_visit(resident_id=resident.id, actor=actor)
        assert actions.record_vitals(visit=visit, actor=actor, systolic=240, diastolic=100, confirmed=True).danger


def test_finish_ends_and_stops_measuring() -> None:
    _, resident, actor = _here()
    with acting(actor):
        visit = actions.open_visit(resident_id=resident.id, actor=actor)
        actions.finish(visit=visit, actor=actor)
        encounter = record.read(type="Encounter", fhir_id=str(visit.key))
        assert encounter is not None
        assert encounter["status"] == "finished"
        assert encounter["period"]["end"]
        with pytest.raises(Conflict):
            actions.record_vitals(visit=visit, actor=actor, systolic=120, diastolic=80)


def test_void_needs_a_reason_and_closes_the_relationship() -> None:
    _, resident, actor = _here()
    with acting(actor):
        visit = actions.open_visit(resident_id=resident.id, actor=actor)
        with pytest.raises(Refused):
            actions.void(visit=visit, reason=" ", actor=actor)
        actions.record_vitals(visit=visit, actor=actor, systolic=186, diastolic=112)
        actions.void(visit=visit, reason="点错了人", actor=actor)
        # What was measured of somebody else is no value of hers: it stays readable as a mistake.
        (pressure,) = record.of_episode(episode=visit.subject, types=("Observation",))
        assert pressure.content["status"] == "entered-in-error"
        assert presenters.pressures_of([pressure]) == []
        assert "已作废" in presenters.line_of(pressure, units={}).detail
        assert queries.get_visit(visit.key, actor).state == "entered_in_error"
        opened = [
            one for one in access.list_relationships(resident_id=resident.id, actor=actor) if one.reason == "visit"
        ]
        assert opened[0].closes_at is not None
        assert opened[0].closes_at <= timezone.now()


def test_get_visit_of_another_unit_is_not_found() -> None:
    world, resident, actor = _here()
    with acting(actor):
        visit = actions.open_visit(resident_id=resident.id, actor=actor)
    stranger = of_user(make_staff(name="赵远", organization_id=world.other_village, role="village_doctor"))
    reader = of_user(make_staff(name="马主任", organization_id=world.lead, role="manager"))
    with acting(stranger), pytest.raises(NotFound):
        queries.get_visit(visit.key, stranger)
    with acting(reader), pytest.raises(NotPermitted):
        actions.open_visit(resident_id=resident.id, actor=reader)
