"""A machine with two kinds of visit: the time before and after one is nobody else's, also not another schedule's; residents see kind and machine."""

from datetime import date, time, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from doorstep.coordination.scheduling import clinic_actions, clinic_queries, laying_actions
from doorstep.coordination.scheduling.models import Facility, Schedule, Slot, VisitKind
from doorstep.coordination.scheduling.tests.factories import Clinic, make_clinic
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.session import acting
from doorstep.people.residents.models import ResidentAccount
from doorstep.people.residents.tests.factories import make_staff
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db


def _machine(clinic: Clinic) -> tuple[Actor, Schedule, Schedule, VisitKind]:
    """A CT with two schedules: contrast (20 min, 5 before and 10 after), and plain at the same hours."""
    manager = of_user(make_staff(name="凌志华", organization_id=clinic.world.lead, role="clinic_manager"))
    with acting(system_actor(Purpose.IMPORT)):
        department = clinic.schedule.department
        machine = Facility.objects.create(
            organization_id=clinic.world.lead, department=department, kind="device", name="CT 1 号机"
        )
        contrast = VisitKind.objects.create(
            department=department, name="增强 CT", minutes=20, before_minutes=5, after_minutes=10
        )
        first, second = (
            Schedule.objects.create(
                organization_id=clinic.world.lead,
                department=department,
                facility=machine,
                service=service,
                holidays="open",
            )
            for service in ("exam", "clinic")
        )
    return manager, first, second, contrast


def _session(schedule: Schedule, kind: VisitKind | None, manager: Actor, weekday: int, starts: time) -> None:
    clinic_actions.add_session(
        schedule=schedule,
        weekday=weekday,
        starts=starts,
        ends=time(10),
        minutes=kind.minutes if kind else 10,
        before=kind.before_minutes if kind else 0,
        after=kind.after_minutes if kind else 0,
        kind_id=kind.pk if kind else None,
        places={"open": 2},
        actor=manager,
    )


def _other_weekday(schedule: Schedule, manager: Actor, day: date, starts: time) -> None:
    """A plain session of the next weekday, which this one day follows: two templates of a machine never meet, days that are moved do."""
    _session(schedule, None, manager, (day.weekday() + 1) % 7, starts)
    clinic_actions.except_day(schedule=schedule, day=day, follows=(day.weekday() + 1) % 7, reason="调整", actor=manager)


def _times(schedule: Schedule) -> list[str]:
    found = Slot.objects.filter(schedule=schedule).order_by("starts_at")
    return [timezone.localtime(one.starts_at).strftime("%H:%M") for one in found]


def test_time_before_and_after_a_visit_is_kept_free_of_other_schedules_of_the_machine() -> None:
    clinic = make_clinic()
    manager, contrast_clinic, plain_clinic, contrast = _machine(clinic)
    day = timezone.localdate() + timedelta(days=3)
    with acting(manager):
        _session(contrast_clinic, contrast, manager, day.weekday(), time(9))
        _other_weekday(plain_clinic, manager, day, time(8, 30))
        laying_actions.generate_slots(schedule=contrast_clinic, first=day, last=day, actor=manager)
        laying_actions.generate_slots(schedule=plain_clinic, first=day, last=day, actor=manager)
        assert _times(contrast_clinic) == ["09:05"]
        # From 9:00 to 9:35 the machine is the contrast visit's, with what comes before and after.
        assert _times(plain_clinic) == ["08:30", "08:40", "08:50", "09:40", "09:50"]
        assert laying_actions.generate_slots(schedule=contrast_clinic, first=day, last=day, actor=manager) == 0


def test_a_later_kind_with_its_buffers_does_not_meet_what_stands() -> None:
    clinic = make_clinic()
    manager, contrast_clinic, plain_clinic, contrast = _machine(clinic)
    day = timezone.localdate() + timedelta(days=3)
    with acting(manager):
        _other_weekday(plain_clinic, manager, day, time(9, 40))
        _session(contrast_clinic, contrast, manager, day.weekday(), time(9))
        laying_actions.generate_slots(schedule=plain_clinic, first=day, last=day, actor=manager)
        laying_actions.generate_slots(schedule=contrast_clinic, first=day, last=day, actor=manager)
        assert (_times(plain_clinic), _times(contrast_clinic)) == (["09:40", "09:50"], ["09:05"])


def test_board_of_a_machine_is_found_by_its_name_and_asks_the_same_for_twenty_times_as_for_one(client: Client) -> None:
    clinic = make_clinic()
    manager, machine, _plain, _contrast = _machine(clinic)
    monday = timezone.localdate() + timedelta(days=7 - timezone.localdate().weekday())
    client.force_login(make_staff(name="周敏", organization_id=clinic.world.lead, role="clinic_manager"))
    asked = []
    for weekday, starts in ((0, time(9, 50)), (1, time(6, 30))):
        with acting(manager):
            _session(machine, None, manager, weekday, starts)
            laying_actions.generate_slots(
                schedule=machine, first=monday, last=monday + timedelta(days=6), actor=manager
            )
        with CaptureQueriesContext(connection) as captured:
            page = client.get(f"/slots/?week={monday.isoformat()}&q=CT 1 号").content.decode()
            assert client.get(f"/slots/day/?day={monday.isoformat()}&schedule={machine.key}").status_code == 200
        assert "CT 1 号机" in page
        asked.append(len(captured))
    assert Slot.objects.filter(schedule=machine).count() > 20
    assert asked[0] == asked[1]


def test_residents_see_kind_machine_and_when_more_is_released(client: Client) -> None:
    clinic = make_clinic()
    manager, contrast_clinic, _plain, contrast = _machine(clinic)
    today = timezone.localdate()
    with acting(manager):
        _session(contrast_clinic, contrast, manager, (today.weekday() + 3) % 7, time(8))
        laying_actions.generate_slots(
            schedule=contrast_clinic, first=today, last=today + timedelta(days=6), actor=manager
        )
        Schedule.objects.filter(pk=contrast_clinic.pk).update(release_days=7, release_at=time(8))
        contrast_clinic.refresh_from_db()
        planned = clinic_queries.preview(contrast_clinic, first=today, last=today + timedelta(days=13))
        waits = [one for one in planned if one.sessions and one.released_at and not one.made]
        assert [(one.plan.day, timezone.localtime(one.released_at)) for one in waits if one.released_at] == [
            (
                today + timedelta(days=10),
                timezone.localtime().replace(hour=8, minute=0, second=0, microsecond=0) + timedelta(days=3),
            )
        ]
    with acting(system_actor(Purpose.IMPORT)):
        user = User.objects.create_user("zhou", password="correct-horse-9", kind=User.Kind.RESIDENT)
        ResidentAccount.objects.create(user=user, resident=clinic.resident, relation="self", since=today)
    client.force_login(user)
    page = client.get(f"/slots/my/find/{clinic.schedule.department.key}/").content.decode()
    for word in ("增强 CT（20 分钟）", "CT 1 号机", "提前 7 天、08:00 放号"):
        assert word in page, word
