"""The fairness report: who came by the waiting list is counted by that, not by how long ago the wish was."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from doorstep.coordination.scheduling import (
    fairness_queries,
    rebooking_actions,
    stopping_actions,
    waiting_actions,
)
from doorstep.coordination.scheduling.models import Booking, Rebooking
from doorstep.coordination.scheduling.tests.factories import book_for, make_clinic, make_slot, stop, want_of
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.people.residents.tests.factories import make_resident, make_staff
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db


def test_the_waiting_list_counts_who_came_by_it_and_nobody_else() -> None:
    clinic = make_clinic()
    village = clinic.world.village
    other = make_resident(organization_id=village, name="钱进", number="", phone="", panel_of=(village,))
    with acting(clinic.doctor) as li:
        entry = waiting_actions.join(resident_id=other.pk, want=want_of(clinic), actor=li)
    make_slot(clinic, starts_at=timezone.now() + timedelta(days=2), referral=1)
    with acting(system_actor(Purpose.CLOCKS)) as clocks:
        assert waiting_actions.offer_freed(actor=clocks) == 1
    with acting(clinic.doctor) as li:
        # Asked and offered within the minute: it was the waiting list all the same.
        waiting_actions.accept(entry_key=entry.key, actor=li)
    slot = make_slot(clinic, referral=1)
    old = book_for(clinic, slot, clinic.resident)
    with acting(system_actor(Purpose.IMPORT)):
        Booking.objects.filter(pk=old.pk).update(wanted_since=timezone.now() - timedelta(days=3))
    stop(slot, reason="专家外出会诊")
    with acting(system_actor(Purpose.HANDLER)) as system:
        stopping_actions.call_off(slot_ids=[slot.pk], reason="专家外出会诊", actor=system)
    later = make_slot(clinic, starts_at=timezone.now() + timedelta(days=4), referral=1)
    with acting(clinic.doctor) as li:
        # Wanted three days ago and booked anew after a stop: never on the waiting list.
        key = Rebooking.objects.get(booking=old).key
        rebooking_actions.rebook(key=key, slot_key=later.key, origin="referral", actor=li)
    manager = of_user(make_staff(name="周敏", organization_id=clinic.world.lead, role="clinic_manager"))
    since, until = timezone.now() - timedelta(days=9), timezone.now() + timedelta(days=1)
    with acting(manager):
        found = {
            by: fairness_queries.lines(
                by=by, organization_ids=[clinic.world.lead], actor=manager, since=since, until=until
            )
            for by in ("group", "channel", "unit")
        }
        assert {one.code: (one.bookings, one.waited) for one in found["channel"]} == {
            "doctor": (1, 0),
            "waiting": (1, 1),
        }
        assert sum(one.waited for one in found["unit"]) == 1
        for by, lines in found.items():
            for line in lines:
                behind = fairness_queries.cases(
                    by=by, code=line.code, what="waited", organization_ids=[clinic.world.lead], since=since, until=until
                )
                assert len(behind.rows) == line.waited, (by, line)
        # The wait itself still runs from the first wish.
        [rebooked] = [one for one in found["channel"] if one.code == "doctor"]
        assert rebooked.median == pytest.approx(7, abs=0.1)


def test_fairness_stands_under_the_division_of_places_in_the_menu(client: Client) -> None:
    clinic = make_clinic()
    client.force_login(make_staff(name="凌志华", organization_id=clinic.world.lead, role="clinic_manager"))
    page = client.get("/slots/fairness/").content.decode()
    lit = re.findall(r'<a[^>]*aria-current="page"[^>]*>(.*?)</a>', page, re.S)
    assert [one for one in lit if "号源分配" in one]
