"""The manager sees every stage's times and the cases behind them, and no resident."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.refusals import NotPermitted
from doorstep.kernel.access.session import acting
from doorstep.kernel.fhir.validation import problems
from doorstep.kernel.record import queries as record
from doorstep.kernel.record.models import Resource
from doorstep.kernel.worklist import actions as worklist
from doorstep.kernel.worklist import queries as stages
from doorstep.kernel.worklist.models import Task
from doorstep.people.organizations import queries as organizations
from doorstep.people.residents.tests.factories import World, make_resident, make_staff, make_world
from doorstep.site.actors import of_user
from doorstep.steering.indicators import actions, queries
from doorstep.steering.indicators.published import CLOCK, report_id

pytestmark = pytest.mark.django_db


def _closed_task(
    world: World,
    organization_id: int,
    minutes: int,
    resident_id: int,
    *,
    kind: str = "visit.in_progress",
    outcome: str = "finish",
) -> None:
    """A task with a clock of ten minutes that took so many."""
    now = timezone.now()
    with acting(system_actor(Purpose.IMPORT)) as actor:
        worklist.open_task(
            worklist.NewTask(
                kind=kind,
                item_id=resident_id,
                item_key=uuid4(),
                organization_id=organization_id,
                resident_id=resident_id,
                due_at=now + timedelta(minutes=10 - minutes),
            ),
            now=now - timedelta(minutes=minutes),
        )
        machine = kind.partition(".")[0]
        worklist.close_tasks(machine=machine, item_id=resident_id, outcome=outcome, actor=actor, now=now)


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


def test_what_fell_away_inside_its_clock_is_nobody_s_achievement_and_after_it_is_late() -> None:
    world = make_world()
    resident = make_resident(organization_id=world.village)
    kind = "referral.submitted"
    for minutes, outcome in ((2, "record_death"), (3, "withdraw"), (4, "accept"), (30, "withdraw")):
        _closed_task(world, world.lead, minutes, resident.id, kind=kind, outcome=outcome)
    manager = of_user(make_staff(name="马主任", organization_id=world.lead, role="manager"))
    soon = timezone.now() + timedelta(seconds=1)
    with acting(manager):
        line = next(one for one in queries.list_stages(actor=manager, period="day", now=soon) if one.kind == kind)
        assert (line.closed, line.clocked, line.late) == (2, 2, 1)
        cases = queries.list_cases(actor=manager, kind=kind, period="day", late=False, now=soon)
        assert len(cases) == 2
    with acting(system_actor(Purpose.IMPORT)):
        by_unit = stages.stage_times_by_unit(
            since=soon - timedelta(days=1), until=soon, moot=["referral.withdraw", "referral.record_death"]
        )
        assert [(one.kind, one.closed) for one in by_unit[world.lead]] == [(kind, 2)]


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


def test_publish_last_month_writes_a_report_of_each_unit_once_and_its_own_unit_reads_it() -> None:
    world = make_world()
    resident = make_resident(organization_id=world.village)
    for minutes in (2, 30):
        _closed_task(world, world.village, minutes, resident.id)
    _closed_task(world, world.other_village, 60, resident.id)
    after = (timezone.localtime().replace(day=28) + timedelta(days=5)).replace(hour=12)
    with acting(system_actor(Purpose.INDICATORS)) as system:
        assert actions.publish_last_month(actor=system, now=after) == 4
        assert actions.publish_last_month(actor=system, now=after) == 0
        key = organizations.get(organization_id=world.village).key
        for one in Resource.objects.filter(type__in=("Measure", "MeasureReport")):
            assert not problems(one.content), one.content
    address = report_id(key, CLOCK, timezone.localdate())
    doctor = of_user(make_staff(name="何文静", organization_id=world.township, role="family_doctor"))
    with acting(doctor):
        report = record.read(type="MeasureReport", fhir_id=address)
        assert report is not None
        (group,) = report["group"]
        assert {one["code"]["coding"][0]["code"]: one["count"] for one in group["population"]} == {
            "initial-population": 2, "denominator": 2, "numerator": 1,
        }  # fmt: skip
        assert (group["measureScore"]["value"], report["reporter"]["display"]) == (0.5, "石桥村卫生室")
        with pytest.raises(NotPermitted):
            actions.publish_last_month(actor=doctor)
    stranger = of_user(make_staff(name="陈立新", organization_id=world.other_township, role="family_doctor"))
    with acting(stranger):
        assert record.read(type="MeasureReport", fhir_id=address) is None
        assert record.read(type="Measure", fhir_id=CLOCK) is not None
