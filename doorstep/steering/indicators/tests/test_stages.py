"""The manager sees every stage's times and the cases behind them, and no resident."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.worklist import actions as worklist
from doorstep.kernel.worklist.models import Task
from doorstep.people.residents.tests.factories import World, make_resident, make_staff, make_world
from doorstep.site.actors import of_user
from doorstep.steering.indicators import queries

pytestmark = pytest.mark.django_db


def _closed_task(world: World, organization_id: int, minutes: int, resident_id: int) -> None:
    """A task with a clock of ten minutes that took so many."""
    now = timezone.now()
    with acting(system_actor(Purpose.IMPORT)) as actor:
        worklist.open_task(
            worklist.NewTask(
                kind="visit.in_progress",
                item_id=resident_id,
                item_key=uuid4(),
                organization_id=organization_id,
                resident_id=resident_id,
                due_at=now + timedelta(minutes=10 - minutes),
            ),
            now=now - timedelta(minutes=minutes),
        )
        worklist.close_tasks(machine="visit", item_id=resident_id, outcome="finish", actor=actor, now=now)


def test_list_stages_counts_share_inside_clock_of_own_organisations_only() -> None:
    world = make_world()
    resident = make_resident(organization_id=world.village)
    for minutes in (2, 4, 30):
        _closed_task(world, world.village, minutes, resident.id)
    _closed_task(world, world.other_village, 60, resident.id)
    manager = of_user(make_staff(name="马主任", organization_id=world.township, role="manager"))
    with acting(manager):
        line = next(
            line
            for line in queries.list_stages(actor=manager, period="day", now=timezone.now() + timedelta(seconds=1))
            if line.closed
        )
        assert (line.closed, line.clocked, line.late) == (3, 3, 1)
        assert line.share == pytest.approx(2 / 3)
        assert line.median == pytest.approx(240, abs=2)
        cases = queries.list_cases(
            actor=manager, kind=line.kind, period="day", late=True, now=timezone.now() + timedelta(seconds=1)
        )
        assert [(case.organization, case.late) for case in cases] == [("石桥村卫生室", True)]


def test_pages_open_down_to_a_case_without_the_resident(client: Client) -> None:
    world = make_world()
    resident = make_resident(organization_id=world.village, panel_of=(world.village,))
    _closed_task(world, world.village, 30, resident.id)
    with acting(system_actor(Purpose.IMPORT)):
        key = Task.objects.get().key
    client.force_login(make_staff(name="马主任", organization_id=world.lead, role="manager"))
    for path in (
        "/indicators/?period=day",
        "/indicators/stages/visit.in_progress/?period=day",
        f"/indicators/cases/{key}/",
    ):
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert resident.name not in answer.content.decode()


def test_case_of_a_sister_unit_is_not_there(client: Client) -> None:
    world = make_world()
    resident = make_resident(organization_id=world.village)
    _closed_task(world, world.village, 30, resident.id)
    with acting(system_actor(Purpose.IMPORT)):
        key = Task.objects.get().key
    client.force_login(make_staff(name="何主任", organization_id=world.other_township, role="manager"))
    assert client.get(f"/indicators/cases/{key}/").status_code == 404
