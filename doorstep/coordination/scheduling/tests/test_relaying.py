"""Another kind of visit and what was laid out already: free times take the new length, whoever has something of a time keeps it."""

from datetime import date, time, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from doorstep.coordination.scheduling import (
    actions,
    clinic_actions,
    laying_actions,
    relaying_actions,
    showing,
    stopping_actions,
)
from doorstep.coordination.scheduling.models import Place, Schedule, Slot, VisitKind
from doorstep.coordination.scheduling.rules import CHINA
from doorstep.coordination.scheduling.tests.factories import Clinic, book_for, make_clinic
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.record.models import Resource
from doorstep.people.residents.tests.factories import make_resident, make_staff
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db


def _monday(weeks: int) -> date:
    today = timezone.localdate()
    return today + timedelta(days=7 * weeks - today.weekday())


def _laid_out(clinic: Clinic, manager: Actor, weeks: int = 4) -> VisitKind:
    """Mondays from 8 to 10 in half hours, with an extra session at 14 that is nobody's concern; a kind of 40 minutes with 20 after it."""
    with acting(system_actor(Purpose.IMPORT)):
        Schedule.objects.filter(pk=clinic.schedule.pk).update(holidays="open")
        clinic.schedule.refresh_from_db()
    with acting(manager):
        for starts in (8, 14):
            clinic_actions.add_session(
                schedule=clinic.schedule,
                weekday=0,
                starts=time(starts),
                ends=time(starts + 2),
                minutes=30,
                places={"open": 1, "community": 1},
                only_on=_monday(2) if starts == 14 else None,
                actor=manager,
            )
        laying_actions.generate_slots(schedule=clinic.schedule, first=_monday(1), last=_monday(weeks), actor=manager)
        return VisitKind.objects.create(
            department=clinic.schedule.department, name="初诊", minutes=40, before_minutes=0, after_minutes=20
        )


def _times(day: date) -> list[str]:
    found = Slot.objects.filter(starts_at__date=day).order_by("starts_at")
    return [f"{one.starts_at.astimezone(CHINA):%H:%M}" for one in found]


def _at(day: date, hour: int, minute: int = 0) -> Slot:
    return Slot.objects.get(starts_at__date=day, starts_at__hour=hour, starts_at__minute=minute)


@pytest.fixture
def clinic() -> Clinic:
    return make_clinic()


@pytest.fixture
def manager(clinic: Clinic) -> Actor:
    return of_user(make_staff(name="周敏", organization_id=clinic.world.lead, role="clinic_manager"))


def test_free_times_are_laid_out_anew_around_who_is_there(clinic: Clinic, manager: Actor) -> None:
    kind = _laid_out(clinic, manager, weeks=5)
    second, third, fourth, fifth = (_monday(number) for number in (2, 3, 4, 5))
    other = make_resident(
        organization_id=clinic.world.village, name="钱进", number="", phone="", panel_of=(clinic.world.village,)
    )
    booked = book_for(clinic, _at(third, 8, 30), clinic.resident, origin="open")
    gone = book_for(clinic, _at(fourth, 9), other, origin="open")
    with acting(clinic.doctor) as li:
        actions.cancel(booking_key=gone.key, actor=li, reason="改期")
        actions.hold(slot_key=_at(fourth, 8).key, origin="open", actor=li, resident_id=other.pk)
    with acting(manager):
        at_five = _at(fifth, 8)
        stopping_actions.stop_clinic(
            schedule=clinic.schedule, since=at_five.starts_at, until=at_five.ends_at, reason="会诊", actor=manager
        )
        before = {day: _times(day) for day in (_monday(1), second, third, fourth, fifth)}

        def preview() -> relaying_actions.KindChange:
            return relaying_actions.preview_kind(
                schedule=clinic.schedule, kind_id=kind.pk, since=second, session_id=None, actor=manager
            )

        planned = preview()
        assert {day: _times(day) for day in before} == before
        done = relaying_actions.change_kind(
            schedule=clinic.schedule, kind_id=kind.pk, since=second, session_id=None, relay=True, actor=manager
        )
        assert done == planned
        assert [(one.day, one.gone, one.kept, one.made) for one in done.days] == [
            (second, 4, 0, 2),
            (third, 3, 1, 1),
            (fourth, 2, 2, 0),
            (fifth, 3, 0, 1),
        ]
        assert _times(_monday(1)) == before[_monday(1)]
        assert _times(second) == ["08:00", "09:00", "14:00", "14:30", "15:00", "15:30"]
        assert _times(third) == ["08:30", "09:00"]
        # What is kept, and what was given back after it had been somebody's, stands.
        assert _times(fourth) == ["08:00", "09:00"]
        # What is stopped stands, and nothing is laid over it.
        assert _times(fifth) == ["08:00", "09:00"]
        assert (_at(second, 9).kind_id, _at(third, 8, 30).kind_id) == (kind.pk, None)
        assert Place.objects.filter(slot__starts_at__date=second, slot__kind=kind).count() == 4
        booked.refresh_from_db()
        assert booked.state == "booked"
        assert [(one.gone, one.made) for one in preview().days if one.day == second] == [(2, 2)]


def test_what_went_is_gone_from_the_record(clinic: Clinic, manager: Actor) -> None:
    kind = _laid_out(clinic, manager, weeks=1)
    slots = list(Slot.objects.filter(starts_at__date=_monday(1)).values_list("id", "key"))
    with acting(system_actor(Purpose.HANDLER)) as house:
        showing.show(slot_ids=[one for one, _key in slots], actor=house)
    with acting(manager):
        relaying_actions.change_kind(
            schedule=clinic.schedule, kind_id=kind.pk, since=_monday(1), session_id=None, relay=True, actor=manager
        )
    with acting(system_actor(Purpose.INDICATORS)):
        shown = Resource.objects.filter(type="Slot", fhir_id__in=[str(key) for _one, key in slots])
        assert list(shown.values_list("deleted", flat=True)) == [True] * len(slots)


def test_page_shows_what_would_change_before_it_does(client: Client, clinic: Clinic, manager: Actor) -> None:
    kind = _laid_out(clinic, manager)
    client.force_login(make_staff(name="凌志华", organization_id=clinic.world.lead, role="clinic_manager"))
    page = f"/slots/schedules/{clinic.schedule.key}/rooms/"
    sent = {"act": "kind", "kind": kind.pk, "since": _monday(2).isoformat(), "relay": "on"}
    tried = client.post(page, {**sent, "try": "1"})
    shown = tried.content.decode()
    assert tried.status_code == 200
    assert "变更预览" in shown
    assert "8 → 4" in shown
    assert Slot.objects.filter(kind=kind).count() == 0
    done = client.post(page, sent, follow=True).content.decode()
    assert "无人预约的 12 段已重排为 6 段" in done
    assert Slot.objects.filter(kind=kind).count() == 6
    bad = client.post(page, {**sent, "since": timezone.localdate().isoformat(), "try": "1"})
    assert bad.status_code == 422
