"""A patient answers by telephone to the office that offered; and what a death leaves of everything that was open."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from doorstep.care.referrals import actions, events, handlers, queries
from doorstep.care.referrals.models import CaseQuestion, FollowUp, Referral
from doorstep.care.referrals.tests.factories import Loop, draft, make_loop, make_slot, referral_in
from doorstep.coordination.beds import actions as beds
from doorstep.coordination.beds.models import Bed, Stay
from doorstep.coordination.notices.models import Notice
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.access.session import acting
from doorstep.kernel.events.models import EventRow
from doorstep.kernel.events.tasks import to_event
from doorstep.kernel.worklist.models import Task
from doorstep.people.residents.models import Resident

pytestmark = pytest.mark.django_db


def offered(loop: Loop) -> Referral:
    """A place of the clinic is offered to 周桂兰."""
    referral, slot = referral_in(loop, "submitted_green"), make_slot(loop)
    with acting(loop.office) as office:
        return actions.offer_place(
            referral=queries.get(key=referral.key, actor=office),
            text="",
            bed_key=None,
            slot_key=slot.key,
            expected_at=None,
            actor=office,
        )


def told_source(loop: Loop) -> set[str]:
    with acting(system_actor(Purpose.HANDLER)):
        row = EventRow.objects.filter(name__startswith="Offer").latest("id")
        handlers.tell_parties(to_event(row, getattr(events, row.name)))
        return set(Notice.objects.filter(organization_id=loop.world.village).values_list("kind", flat=True))


def test_office_writes_down_that_the_patient_agreed_by_telephone(client: Client) -> None:
    loop = make_loop()
    referral = offered(loop)
    client.force_login(loop.users["office"])
    page = client.get(reverse("referrals:detail", args=[referral.key])).content.decode()
    assert "已电话与患者确认" in page
    assert client.post(reverse("referrals:act", args=[referral.key, "confirm_there"])).status_code == 302
    with acting(loop.office) as office:
        case = queries.get(key=referral.key, actor=office)
        assert (case.state, case.booking_id is not None) == ("accepted", True)
    assert "referral-confirmed" in told_source(loop)


def test_office_writes_down_a_refusal_and_the_sender_is_told(client: Client) -> None:
    loop = make_loop()
    referral = offered(loop)
    client.force_login(loop.users["office"])
    act = reverse("referrals:act", args=[referral.key, "refuse_there"])
    assert client.post(act, {"reason": ""}).status_code == 422
    assert client.post(act, {"code": "time", "reason": "家庭医生来电转告"}).status_code == 302
    with acting(loop.office) as office:
        case = queries.get(key=referral.key, actor=office)
        # Green stays green, the place is free, and the hospital looks for another.
        assert (case.state, case.hold_key, case.offer_refusal) == ("submitted_green", None, "time")
    assert "referral-offer-refused-green" in told_source(loop)


def test_nobody_beside_the_case_answers_for_the_patient() -> None:
    loop = make_loop()
    referral = offered(loop)
    with acting(loop.sister) as sister, pytest.raises(NotFound):
        actions.refuse_offer(referral=referral, code="time", reason="", actor=sister)


def test_a_death_closes_offer_hold_follow_ups_questions_and_beds_and_writes_to_nobody_at_home() -> None:
    loop = make_loop()
    first = referral_in(loop, "received_back")
    with acting(loop.family) as family:
        actions.ask_question(referral=first, text="血压 150/95，需要调药吗？", actor=family)
    with acting(system_actor(Purpose.IMPORT)) as system:
        beds.open_ward(organization_id=loop.world.township, name="住院病区", beds=["1", "2"], actor=system)
        beds.occupy(bed=Bed.objects.get(number="1"), resident=loop.resident, actor=system)
    slot = make_slot(loop)
    second = draft(loop)
    with acting(loop.village) as village:
        actions.hold_slot(referral=second, slot_key=slot.key, actor=village)
    with acting(system_actor(Purpose.IMPORT)):
        Resident.objects.filter(pk=loop.resident.pk).update(deceased_on=timezone.localdate())
        before = Notice.objects.filter(resident_id=loop.resident.pk).count()
    with acting(system_actor(Purpose.HANDLER)) as house:
        actions.end_for_death(resident_id=loop.resident.pk, actor=house)
        assert set(Referral.objects.values_list("state", flat=True)) == {"died"}
        assert set(FollowUp.objects.values_list("state", flat=True)) == {"cancelled"}
        assert CaseQuestion.objects.get().state == "retracted"
        assert Stay.objects.get().left_at is not None
        assert set(Bed.objects.values_list("state", flat=True)) == {"free", "cleaning"}
        assert not Task.objects.filter(resident_id=loop.resident.pk, closed_at__isnull=True).exists()
        for row in EventRow.objects.filter(name="PatientDied"):
            handlers.tell_parties(to_event(row, events.PatientDied))
        # Hospital and family doctor read that the referral ended; the family hears nothing of it from a machine.
        assert Notice.objects.filter(resident_id=loop.resident.pk).count() == before
        assert Notice.objects.filter(kind="referral-died", organization_id=loop.world.township).exists()
        assert timezone.now() - timedelta(minutes=5) < Referral.objects.get(pk=first.pk).state_since
