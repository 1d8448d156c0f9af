"""Another room, machine or kind of visit of a schedule from a day on; whoever is booked keeps what was promised."""

from datetime import date, datetime, time, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from doorstep.coordination.scheduling import (
    clinic_actions,
    laying_actions,
    resuming_actions,
    rooms_actions,
    stopping_actions,
)
from doorstep.coordination.scheduling.models import Facility, Schedule, Slot, VisitKind, WeeklySession
from doorstep.coordination.scheduling.rules import CHINA
from doorstep.coordination.scheduling.tests.factories import Clinic, book_for, make_clinic, make_slot
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.refusals import Conflict, NotFound, NotPermitted, Refused
from doorstep.kernel.access.session import acting
from doorstep.people.organizations.models import Department
from doorstep.people.residents.tests.factories import make_staff
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db


def _manager(clinic: Clinic) -> Actor:
    return of_user(make_staff(name="周敏", organization_id=clinic.world.lead, role="clinic_manager"))


def _room(clinic: Clinic, name: str, department: Department | None = None) -> Facility:
    with acting(system_actor(Purpose.IMPORT)):
        return Facility.objects.create(
            organization_id=clinic.world.lead,
            department=department or clinic.schedule.department,
            kind="room",
            name=name,
        )


def _monday(weeks: int = 1) -> date:
    """A Monday to come, on which no national holiday falls."""
    today = timezone.localdate()
    day = today + timedelta(days=7 * weeks - today.weekday())
    return day if day > today else day + timedelta(days=7)


def _session(schedule: Schedule, manager: Actor, *, starts: int = 8) -> WeeklySession:
    return clinic_actions.add_session(
        schedule=schedule,
        weekday=0,
        starts=time(starts),
        ends=time(starts + 2),
        minutes=30,
        places={"open": 1},
        actor=manager,
    )


def test_change_room_moves_what_nobody_booked_and_leaves_the_others() -> None:
    clinic = make_clinic()
    manager, third, fifth = _manager(clinic), _room(clinic, "3 诊室"), _room(clinic, "5 诊室")
    since = timezone.localdate() + timedelta(days=3)
    day = datetime.combine(since, time(9), tzinfo=CHINA)
    with acting(system_actor(Purpose.IMPORT)):
        Schedule.objects.filter(pk=clinic.schedule.pk).update(facility=third)
    before = make_slot(clinic, starts_at=day - timedelta(days=1), referral=1)
    free = make_slot(clinic, starts_at=day, referral=1)
    taken = make_slot(clinic, starts_at=day + timedelta(days=1), referral=1)
    book_for(clinic, taken, clinic.resident)
    with acting(manager):
        assert (
            rooms_actions.change_room(schedule=clinic.schedule, facility_id=fifth.pk, since=since, actor=manager) == 1
        )
        rooms = dict(Slot.objects.values_list("id", "facility__name"))
        assert rooms == {before.pk: "3 诊室", free.pk: "5 诊室", taken.pk: "3 诊室"}
        with pytest.raises(Refused):
            rooms_actions.change_room(
                schedule=clinic.schedule, facility_id=third.pk, since=timezone.localdate(), actor=manager
            )
    with acting(clinic.doctor) as li, pytest.raises(NotPermitted):
        rooms_actions.change_room(schedule=clinic.schedule, facility_id=third.pk, since=since, actor=li)
    with acting(system_actor(Purpose.CLOCKS)):
        assert rooms_actions.settle_rooms(today=since - timedelta(days=1)) == 0
        assert rooms_actions.settle_rooms(today=since) == 1
        assert rooms_actions.settle_rooms(today=since) == 0
        assert Schedule.objects.get(pk=clinic.schedule.pk).facility_id == fifth.pk
        booked = Slot.objects.get(pk=taken.pk).room
        assert booked is not None
        assert booked.name == "3 诊室"


def test_slots_are_laid_out_in_the_room_of_their_day_and_a_stop_of_a_room_means_that_room() -> None:
    clinic = make_clinic()
    manager, third, fifth = _manager(clinic), _room(clinic, "3 诊室"), _room(clinic, "5 诊室")
    with acting(system_actor(Purpose.IMPORT)):
        Schedule.objects.filter(pk=clinic.schedule.pk).update(facility=third, holidays="open")
        clinic.schedule.refresh_from_db()
    first, second = _monday(2), _monday(3)
    with acting(manager):
        _session(clinic.schedule, manager)
        rooms_actions.change_room(schedule=clinic.schedule, facility_id=fifth.pk, since=second, actor=manager)
        laying_actions.generate_slots(schedule=clinic.schedule, first=first, last=second, actor=manager)
        rooms = set(Slot.objects.values_list("starts_at__date", "facility__name"))
        assert rooms == {(first, "3 诊室"), (second, "5 诊室")}
        begins = datetime.combine(first, time(), tzinfo=CHINA)
        ends = datetime.combine(second + timedelta(days=1), time(), tzinfo=CHINA)
        scope = f"facility:{fifth.pk}"
        stopping_actions.stop_scope(scope=scope, since=begins, until=ends, reason="消毒", actor=manager)
        assert set(Slot.objects.filter(stopped_at__isnull=False).values_list("starts_at__date", flat=True)) == {second}
        assert resuming_actions.resume_scope(scope=scope, since=begins, until=ends, actor=manager).slots == 4


def test_a_room_that_is_taken_is_refused_by_name_and_time() -> None:
    clinic = make_clinic()
    manager, third = _manager(clinic), _room(clinic, "3 诊室")
    with acting(system_actor(Purpose.IMPORT)):
        eyes = Department.objects.create(organization_id=clinic.world.lead, code="0401", name="眼科")
        other = Schedule.objects.create(
            organization_id=clinic.world.lead, department=clinic.schedule.department, facility=third, service="clinic"
        )
        elsewhere = _room(clinic, "眼科 1 诊室", eyes)
    since = timezone.localdate() + timedelta(days=1)
    with acting(manager):
        _session(clinic.schedule, manager, starts=9)
        _session(other, manager, starts=10)
        with pytest.raises(Conflict, match="3 诊室 在 周一 10:00 已有 3 诊室 出诊"):
            rooms_actions.change_room(schedule=clinic.schedule, facility_id=third.pk, since=since, actor=manager)
        with pytest.raises(Refused, match="不属于所选科室"):
            rooms_actions.change_room(schedule=clinic.schedule, facility_id=elsewhere.pk, since=since, actor=manager)
        with pytest.raises(Conflict, match="已有同类排班"):
            rooms_actions.change_room(
                schedule=Schedule.objects.create(
                    organization_id=clinic.world.lead, department=clinic.schedule.department, service="clinic"
                ),
                facility_id=third.pk,
                since=since,
                actor=manager,
            )


def test_change_kind_holds_from_its_day_and_keeps_the_places() -> None:
    clinic = make_clinic()
    manager, since = _manager(clinic), _monday(2)
    with acting(system_actor(Purpose.IMPORT)):
        long = VisitKind.objects.create(
            department=clinic.schedule.department, name="初诊", minutes=40, before_minutes=0, after_minutes=20
        )
        Schedule.objects.filter(pk=clinic.schedule.pk).update(holidays="open")
    with acting(manager):
        session = _session(clinic.schedule, manager)
        clinic.schedule.refresh_from_db()

        def change(session_id: int | None) -> int:
            return rooms_actions.change_kind(
                schedule=clinic.schedule, kind_id=long.pk, since=since, session_id=session_id, actor=manager
            )

        with pytest.raises(NotFound):
            change(0)
        assert change(None) == 1
        before, after = WeeklySession.objects.order_by("since").reverse()
        assert (before.pk, before.until, before.minutes) == (session.pk, since, 30)
        assert (after.since, after.minutes, after.after_minutes, after.places()) == (since, 40, 20, session.places())
        # Asked once more for the same day it is the same session that changes.
        assert change(after.pk) == 1
        assert WeeklySession.objects.count() == 2
        laying_actions.generate_slots(
            schedule=clinic.schedule, first=since - timedelta(days=7), last=since, actor=manager
        )
        lengths = [(one.starts_at.astimezone(CHINA).date(), one.kind_id) for one in Slot.objects.order_by("starts_at")]
        assert lengths == [(since - timedelta(days=7), None)] * 4 + [(since, long.pk)] * 2


def test_page_changes_room_and_kind(client: Client) -> None:
    clinic = make_clinic()
    manager, fifth = _manager(clinic), _room(clinic, "5 诊室")
    with acting(manager):
        _session(clinic.schedule, manager)
        kind = clinic_actions.add_visit_kind(
            organization_id=clinic.world.lead,
            department_id=clinic.schedule.department_id,
            name="复诊",
            minutes=15,
            before=0,
            after=5,
            actor=manager,
        )
    client.force_login(make_staff(name="凌志华", organization_id=clinic.world.lead, role="clinic_manager"))
    page = f"/slots/schedules/{clinic.schedule.key}/rooms/"
    assert "变更诊室" in client.get(f"/slots/schedules/{clinic.schedule.key}/").content.decode()
    assert "未指定" in client.get(page).content.decode()
    since = (timezone.localdate() + timedelta(days=1)).isoformat()
    moved = client.post(page, {"act": "room", "facility": fifth.pk, "since": since}, follow=True).content.decode()
    assert "起改在新诊室" in moved
    assert "5 诊室" in moved
    late = client.post(page, {"act": "room", "facility": fifth.pk, "since": timezone.localdate().isoformat()})
    assert late.status_code == 422
    assert "从明天或以后" in late.content.decode()
    changed = client.post(page, {"act": "kind", "kind": kind.pk, "since": since}, follow=True).content.decode()
    assert "1 个时段改用新的就诊类型" in changed
    assert client.post(page, {"act": "kind", "kind": "0", "since": since}).status_code == 422
