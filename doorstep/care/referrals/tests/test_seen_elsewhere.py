"""A patient who is awaited turns up at a third unit: both sides are asked whether the referral is still needed."""

import pytest

from doorstep.care.referrals import elsewhere_handlers as handlers
from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.tests.factories import Loop, make_loop, referral_in
from doorstep.coordination.notices.models import Notice
from doorstep.coordination.visits.events import VisitOpened
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.site.subscriptions import SUBSCRIPTIONS

pytestmark = pytest.mark.django_db


def _seen(loop: Loop, organization_id: int) -> list[tuple[int | None, str]]:
    """Whom a visit at a unit has told, and of which unit."""
    event = VisitOpened(
        subject="visit/7d6c5b4a-0000-4000-8000-00000000000a",
        resident_id=loop.resident.pk,
        organization_id=organization_id,
        consortium_id=loop.world.consortium_id,
    )
    with acting(system_actor(Purpose.HANDLER)):
        Notice.objects.filter(kind="referral-seen-elsewhere").delete()
        for handler in SUBSCRIPTIONS[VisitOpened]:
            handler(event)
        told = Notice.objects.filter(kind="referral-seen-elsewhere").order_by("organization_id")
        return [(one.organization_id, one.params["unit"]) for one in told]


def test_both_sides_are_told_where_the_patient_is_and_judge_themselves() -> None:
    loop = make_loop()
    referral = referral_in(loop, "accepted")
    told = _seen(loop, loop.world.other_township)
    assert sorted(unit for unit, _name in told if unit) == sorted((loop.world.lead, loop.world.village))
    assert {name for _unit, name in told} == {"北岭镇卫生院"}
    with acting(system_actor(Purpose.HANDLER)):
        assert Referral.objects.get(pk=referral.pk).state == "accepted"


@pytest.mark.parametrize("place", ["village", "lead"])
def test_who_sent_or_awaits_the_patient_is_nowhere_else(place: str) -> None:
    loop = make_loop()
    referral_in(loop, "accepted")
    assert _seen(loop, getattr(loop.world, place)) == []


@pytest.mark.parametrize("state", ["draft", "arrived", "received_back"])
def test_nobody_waits_for_a_draft_or_for_who_has_come(state: str) -> None:
    loop = make_loop()
    referral_in(loop, state)
    assert _seen(loop, loop.world.other_township) == []


def test_a_visit_of_somebody_else_tells_nobody() -> None:
    loop = make_loop()
    referral_in(loop, "accepted")
    event = VisitOpened(subject="visit/x", resident_id=None, organization_id=loop.world.other_township)
    with acting(system_actor(Purpose.HANDLER)):
        handlers.tell_seen_elsewhere(event)
        assert not Notice.objects.filter(kind="referral-seen-elsewhere").exists()
