"""The page on which a resident finds a new time says for which visit, and why."""

from datetime import date, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from doorstep.coordination.scheduling import stopping_actions
from doorstep.coordination.scheduling.models import Rebooking
from doorstep.coordination.scheduling.tests.factories import book_for, make_clinic, make_slot, stop
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.session import acting
from doorstep.people.residents.models import ResidentAccount

pytestmark = pytest.mark.django_db


def test_a_new_time_after_a_stopped_clinic_names_what_was_stopped(client: Client) -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, referral=1)
    make_slot(clinic, starts_at=timezone.now() + timedelta(days=3), open=1)
    book_for(clinic, slot, clinic.resident)
    stop(slot, reason="专家外出抢救")
    with acting(system_actor(Purpose.HANDLER)) as system:
        assert stopping_actions.call_off(slot_ids=[slot.pk], reason="专家外出抢救", actor=system) == 1
        task = Rebooking.objects.get()
        user = User.objects.create_user("zhou", kind=User.Kind.RESIDENT)
        ResidentAccount.objects.create(user=user, resident=clinic.resident, since=date(2024, 1, 1))
    client.force_login(user)
    address = f"/slots/my/find/{clinic.schedule.department.key}/"
    page = client.get(f"{address}?rebook={task.key}").content.decode()
    assert "王主任 停诊：专家外出抢救。请选择新的时间。" in page
    assert "停诊：" not in client.get(address).content.decode()
    assert client.get(f"{address}?rebook=nothing").status_code == 200
