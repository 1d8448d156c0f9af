"""Of those whom a stopped clinic called off, who would come soonest is told first, before setting out."""

from datetime import datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from doorstep.coordination.scheduling import booking_queries, stopping_actions
from doorstep.coordination.scheduling.rules import CHINA
from doorstep.coordination.scheduling.tests.factories import book_for, make_clinic, make_slot, stop
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.worklist.models import Task
from doorstep.people.residents.tests.factories import make_resident

pytestmark = pytest.mark.django_db


def test_who_would_come_soonest_is_called_first_and_before_setting_out() -> None:
    clinic = make_clinic()
    with time_machine.travel(datetime(2026, 3, 2, 9, tzinfo=CHINA), tick=False):
        now = timezone.now()
        later, sooner = (make_slot(clinic, starts_at=now + timedelta(hours=hours), referral=1) for hours in (30, 4))
        second = make_resident(
            organization_id=clinic.world.village, name="孙立", number="", phone="", panel_of=(clinic.world.village,)
        )
        book_for(clinic, later, second)
        book_for(clinic, sooner, clinic.resident)
        stop(later, sooner, reason="专家抢救")
        with acting(system_actor(Purpose.HANDLER)) as system:
            assert stopping_actions.call_off(slot_ids=[later.pk, sooner.pk], reason="专家抢救", actor=system) == 2
        with acting(clinic.doctor):
            found = booking_queries.open_rebookings(organization_ids=[clinic.world.village])
            due = {task.item_id: task.due_at for task in Task.objects.filter(kind="rebooking.open")}
        assert [task.resident.name for task in found] == ["周桂兰", "孙立"]
        # An hour before the visit; the other has the eight working hours of the clock.
        assert due[found[0].pk] == sooner.starts_at - timedelta(hours=1)
        assert due[found[1].pk] == datetime(2026, 3, 2, 17, tzinfo=CHINA)
