"""Places of a shared quota: dealt by the division of their own day, and dealt anew while they are free."""

from datetime import date, datetime, time

import pytest
import time_machine

from doorstep.coordination.scheduling import clinic_actions, laying_actions, quota_actions
from doorstep.coordination.scheduling.models import Place, Slot
from doorstep.coordination.scheduling.rules import CHINA
from doorstep.coordination.scheduling.tests.factories import Clinic, book_for, make_clinic
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.session import acting
from doorstep.people.residents.tests.factories import make_staff
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db


def _share(clinic: Clinic, manager: Actor, weights: dict[int, int], since: date) -> None:
    quota_actions.set_shares(
        department_id=clinic.schedule.department_id,
        quota="community",
        weights=weights,
        since=since,
        reason="按需求",
        actor=manager,
    )


def _of(unit: int, month: int) -> int:
    found = Place.objects.filter(origin_organization_id=unit, slot__starts_at__month=month)
    assert found.count() == found.filter(given_organization_id=unit).count()
    return int(found.count())


def test_the_division_of_each_day_deals_its_places_and_a_new_one_deals_what_is_free_anew() -> None:
    """November is the township's, December is divided by three to one: also where both were laid out in one go, or before it was decided."""
    clinic = make_clinic()
    manager, world = (
        of_user(make_staff(name="周敏", organization_id=clinic.world.lead, role="clinic_manager")),
        clinic.world,
    )

    with time_machine.travel(datetime(2026, 11, 2, 9, tzinfo=CHINA), tick=False), acting(manager):
        _share(clinic, manager, {world.township: 1}, date(2026, 11, 3))
        clinic_actions.add_session(
            schedule=clinic.schedule,
            weekday=0,
            starts=time(8),
            ends=time(10),
            minutes=30,
            places={"community": 2},
            actor=manager,
        )
        _share(clinic, manager, {world.township: 3, world.village: 1}, date(2026, 12, 1))
        laying_actions.generate_slots(
            schedule=clinic.schedule, first=date(2026, 11, 23), last=date(2026, 12, 13), actor=manager
        )
        assert [_of(world.township, 11), _of(world.village, 11)] == [16, 0]
        assert [_of(world.township, 12), _of(world.village, 12)] == [6, 2]
        slot = Slot.objects.filter(starts_at__month=12).earliest("starts_at")
    with time_machine.travel(datetime(2026, 11, 2, 10, tzinfo=CHINA), tick=False):
        made = book_for(clinic, slot, clinic.resident, origin="community")
        with acting(manager):
            # Decided anew: what is free follows at once, who is booked keeps the place that it was given to.
            before = Place.objects.get(pk=made.place_id).given_organization_id
            _share(clinic, manager, {world.village: 1, world.other_township: 1}, date(2026, 12, 1))
            assert Place.objects.get(pk=made.place_id).given_organization_id == before
            free = Place.objects.filter(slot__starts_at__month=12, state="free")
            dealt = sorted(free.values_list("origin_organization_id", flat=True))
            # Evenly, as near as seven can be; the booked one counts for its unit where it has a share.
            assert dealt.count(world.village) in (3, 4)
            assert dealt.count(world.village) + dealt.count(world.other_township) == 7
            assert _of(world.township, 11) == 16
            _share(clinic, manager, {}, date(2026, 12, 1))
            assert set(free.values_list("origin_organization_id", flat=True)) == {None}
