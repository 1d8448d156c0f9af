"""The place of a referral is moved or given up where places are booked: the own phone, the desk, a stopped clinic. The referral goes along."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from doorstep.care.referrals import actions, events, place_handlers, queries
from doorstep.care.referrals.actions.offering import Place
from doorstep.care.referrals.handlers import tell_parties
from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.tests.factories import CONSENT, Loop, draft, make_loop, make_slot
from doorstep.coordination.notices.models import Notice
from doorstep.coordination.scheduling import actions as scheduling
from doorstep.coordination.scheduling import events as booking_events
from doorstep.coordination.scheduling import rebooking_actions, stopping_actions
from doorstep.coordination.scheduling.models import Booking, Rebooking, Slot
from doorstep.kernel.access.actor import Actor, ActorKind, Purpose, system_actor
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.events.models import EventRow
from doorstep.kernel.events.tasks import to_event
from doorstep.kernel.record import queries as record
from doorstep.kernel.worklist.models import Task

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def sent(loop: Loop, slot: Slot, *, accepted: bool = True) -> Referral:
    """An ordinary referral with a booked place, accepted or still waiting for the office."""
    referral = draft(loop)
    with acting(loop.village) as village:
        values = {"kind": "ordinary", "critical": False, "bed_requested": False, "aim": "department"}
        actions.revise(referral=referral, actor=village, values=values)
        actions.hold_slot(referral=referral, slot_key=slot.key, actor=village)
        actions.submit(referral=referral, consent=CONSENT, actor=village)
    if accepted:
        with acting(loop.office) as office:
            actions.accept(referral=queries.get(key=referral.key, actor=office), actor=office)
    with acting(loop.village) as village:
        return queries.get(key=referral.key, actor=village)


def own(loop: Loop) -> Actor:
    """周桂兰 at her own phone."""
    resident = loop.resident.pk
    return Actor(kind=ActorKind.RESIDENT, display_name="周桂兰", user_id=90_001, resident_ids=(resident,))


def handed_on(name: str) -> None:
    """What the handler of the last event of this name does."""
    with acting(system_actor(Purpose.HANDLER)):
        row = EventRow.objects.filter(name=name).latest("id")
        place_handlers.follow_place(to_event(row, getattr(booking_events, name)))


def told() -> set[tuple[Any, ...]]:
    with acting(system_actor(Purpose.HANDLER)):
        Notice.objects.all().delete()
        row = EventRow.objects.filter(name__in=("NewDayAgreed", "PlaceGivenUp")).latest("id")
        tell_parties(to_event(row, getattr(events, row.name)))
        return set(Notice.objects.values_list("kind", "organization_id", "resident_id"))


def seen(loop: Loop, referral: Referral) -> Referral:
    with acting(loop.village) as village:
        return queries.get(key=referral.key, actor=village)


def test_a_place_moved_on_the_own_phone_moves_the_referral() -> None:
    loop = make_loop()
    slot, later = make_slot(loop, starts_at=timezone.now() + DAY), make_slot(loop, starts_at=timezone.now() + 4 * DAY)
    with acting(system_actor(Purpose.IMPORT)):
        later.places.update(quota="open")
    referral = sent(loop, slot)
    with acting(own(loop)) as phone:
        booking = Booking.objects.get(pk=referral.booking_id or 0)
        moved = scheduling.move(booking_key=booking.key, slot_key=later.key, origin="open", actor=phone)
    handed_on("BookingCancelled")
    now = seen(loop, referral)
    assert (now.state, now.booking_id, now.expected_at) == ("accepted", moved.pk, later.starts_at)
    with acting(loop.office) as office:
        task = Task.objects.get(kind="referral.accepted", closed_at__isnull=True)
        assert task.due_at == later.starts_at + timedelta(hours=2)
        request = record.read(type="ServiceRequest", fhir_id=str(referral.key))
        assert request is not None
        assert datetime.fromisoformat(request["occurrenceDateTime"]).date() == later.starts_at.astimezone(UTC).date()
        assert "王主任" in queries.get(key=referral.key, actor=office).appointment_text
    assert told() == {
        ("referral-new-day", loop.world.village, None),
        ("referral-new-day", loop.world.lead, None),
        ("own-referral-new-day", None, loop.resident.pk),
    }
    # Moved on twice before anybody looked: the last place counts.
    with acting(loop.village) as village:
        third, fourth = (make_slot(loop, starts_at=timezone.now() + days * DAY) for days in (5, 6))
        scheduling.move(booking_key=moved.key, slot_key=third.key, origin="referral", actor=village)
        again = Booking.objects.get(changed_from=moved)
        last = scheduling.move(booking_key=again.key, slot_key=fourth.key, origin="referral", actor=village)
    handed_on("BookingCancelled")
    now = seen(loop, referral)
    assert (now.booking_id, now.expected_at) == (last.pk, fourth.starts_at)
    # Told once more, nothing happens.
    handed_on("BookingCancelled")
    assert seen(loop, referral).state_since == now.state_since


def test_a_place_that_is_given_up_asks_the_office_for_another() -> None:
    loop = make_loop()
    referral = sent(loop, make_slot(loop, starts_at=timezone.now() + DAY))
    with acting(own(loop)) as phone:
        booking = Booking.objects.get(pk=referral.booking_id or 0)
        scheduling.cancel(booking_key=booking.key, actor=phone, reason="")
    handed_on("BookingCancelled")
    now = seen(loop, referral)
    assert (now.state, now.booking_id, now.appointment_text, now.expected_at) == ("submitted", None, "", None)
    with acting(loop.office):
        assert Task.objects.filter(kind="referral.submitted", closed_at__isnull=True).count() == 1
    assert told() == {
        ("referral-place-given-up", loop.world.village, None),
        ("referral-place-wanted", loop.world.lead, None),
        ("own-referral-place-given-up", None, loop.resident.pk),
    }


def test_a_place_moved_before_the_answer_is_the_one_that_is_accepted() -> None:
    loop = make_loop()
    slot, later = make_slot(loop, starts_at=timezone.now() + DAY), make_slot(loop, starts_at=timezone.now() + 4 * DAY)
    referral = sent(loop, slot, accepted=False)
    with acting(loop.village) as village:
        due = Task.objects.get(kind="referral.submitted", closed_at__isnull=True).due_at
        booking = Booking.objects.get(pk=referral.booking_id or 0)
        moved = scheduling.move(booking_key=booking.key, slot_key=later.key, origin="referral", actor=village)
    handed_on("BookingCancelled")
    with acting(loop.office) as office:
        # The office has waited for nothing: its clock runs on.
        assert Task.objects.get(kind="referral.submitted", closed_at__isnull=True).due_at == due
        accepted = actions.accept(referral=queries.get(key=referral.key, actor=office), actor=office)
    assert (accepted.booking_id, accepted.expected_at) == (moved.pk, later.starts_at)


def test_a_place_given_up_before_the_answer_is_gone_from_the_form() -> None:
    loop = make_loop()
    referral = sent(loop, make_slot(loop, starts_at=timezone.now() + DAY), accepted=False)
    with acting(loop.village) as village:
        booking = Booking.objects.get(pk=referral.booking_id or 0)
        scheduling.cancel(booking_key=booking.key, actor=village, reason="患者要求")
    handed_on("BookingCancelled")
    now = seen(loop, referral)
    assert (now.state, now.booking_id, now.appointment_text, now.expected_at) == ("submitted", None, "", None)


def test_a_stopped_clinic_leaves_the_case_until_the_new_time_is_found() -> None:
    loop = make_loop()
    slot, later = make_slot(loop, starts_at=timezone.now() + DAY), make_slot(loop, starts_at=timezone.now() + 4 * DAY)
    referral = sent(loop, slot)
    with acting(system_actor(Purpose.HANDLER)) as house:
        Slot.objects.filter(pk=slot.pk).update(stopped_at=timezone.now(), stop_reason="外出会诊")
        stopping_actions.call_off(slot_ids=[slot.pk], reason="外出会诊", actor=house)
    handed_on("BookingCancelled")
    assert seen(loop, referral).state == "accepted"
    with acting(loop.village) as village:
        task = Rebooking.objects.get()
        made = rebooking_actions.rebook(key=task.key, slot_key=later.key, origin="referral", actor=village)
    handed_on("RebookingDone")
    now = seen(loop, referral)
    assert (now.state, now.booking_id, now.expected_at) == ("accepted", made.pk, later.starts_at)


def test_what_a_referral_cancels_itself_is_no_giving_up() -> None:
    loop = make_loop()
    referral = sent(loop, make_slot(loop, starts_at=timezone.now() + DAY), accepted=False)
    with acting(loop.office) as office:
        place = Place(text="心内科二诊室", expected_at=timezone.now() + 3 * DAY)
        actions.offer(referral=queries.get(key=referral.key, actor=office), place=place, actor=office)
    with acting(loop.village) as village:
        actions.confirm(referral=queries.get(key=referral.key, actor=village), actor=village)
    handed_on("BookingCancelled")
    now = seen(loop, referral)
    assert (now.state, now.booking_id, now.appointment_text) == ("accepted", None, "心内科二诊室")


def test_after_a_refused_offer_the_first_place_stands_with_its_time() -> None:
    loop = make_loop()
    slot = make_slot(loop, starts_at=timezone.now() + DAY)
    referral = sent(loop, slot, accepted=False)
    with acting(loop.office) as office:
        place = Place(text="心内科二诊室", expected_at=timezone.now() + 3 * DAY)
        actions.offer(referral=queries.get(key=referral.key, actor=office), place=place, actor=office)
    with acting(loop.village) as village:
        case = queries.get(key=referral.key, actor=village)
        refused = actions.refuse_offer(referral=case, code="time", reason="", actor=village)
    assert refused.expected_at == slot.starts_at
    with acting(loop.office) as office:
        accepted = actions.accept(referral=queries.get(key=referral.key, actor=office), actor=office)
    assert accepted.expected_at == slot.starts_at


def test_sender_office_and_resident_change_the_day_before_it_has_come(client: Client) -> None:
    loop = make_loop()
    slot, later = make_slot(loop, starts_at=timezone.now() + DAY), make_slot(loop, starts_at=timezone.now() + 4 * DAY)
    last = make_slot(loop, starts_at=timezone.now() + 5 * DAY)
    referral = sent(loop, slot)
    for who, verb, at in (("village", "agree_day", later), ("office", "agree_day_there", last)):
        client.force_login(loop.users[who])
        assert "改约到院时间" in client.get(reverse("referrals:detail", args=[referral.key])).content.decode()
        answer = client.post(
            reverse("referrals:act", args=[referral.key, verb]), {"slot": str(at.key), "reason": "患者来电"}
        )
        assert answer.status_code == 302
        handed_on("BookingCancelled")
        now = seen(loop, referral)
        assert (now.state, now.expected_at) == ("accepted", at.starts_at)
    with acting(own(loop)) as phone:
        case = queries.get(key=referral.key, actor=phone)
        actions.agree_day(referral=case, actor=phone, slot_key=slot.key, by_resident=True)
    now = seen(loop, referral)
    assert (now.state, now.expected_at) == ("accepted", slot.starts_at)
    # The place and the time in words are one.
    with acting(loop.office):
        assert Booking.objects.filter(reference=referral.subject, state="booked").count() == 1


def test_an_emergency_is_not_put_off_from_the_own_phone() -> None:
    loop = make_loop()
    slot, later = make_slot(loop, starts_at=timezone.now() + DAY), make_slot(loop, starts_at=timezone.now() + 4 * DAY)
    referral = sent(loop, slot)
    with acting(system_actor(Purpose.IMPORT)):
        Referral.objects.filter(pk=referral.pk).update(kind="urgent")
    with acting(own(loop)) as phone:
        case = queries.get(key=referral.key, actor=phone)
    # What is refused leaves no trace.
    with pytest.raises(Refused) as caught, acting(own(loop)):
        actions.agree_day(referral=case, actor=phone, slot_key=later.key, by_resident=True)
    assert "120" in str(caught.value.message)


def test_a_refused_offer_is_nowhere_told_as_the_place(client: Client) -> None:
    loop = make_loop()
    referral = sent(loop, make_slot(loop, starts_at=timezone.now() + DAY), accepted=False)
    with acting(loop.village) as village:
        booking = Booking.objects.get(pk=referral.booking_id or 0)
        scheduling.cancel(booking_key=booking.key, actor=village, reason="患者要求")
    handed_on("BookingCancelled")
    with acting(loop.office) as office:
        place = Place(text="心内科二诊室", expected_at=timezone.now() + 3 * DAY)
        actions.offer(referral=queries.get(key=referral.key, actor=office), place=place, actor=office)
    with acting(loop.village) as village:
        case = queries.get(key=referral.key, actor=village)
        actions.refuse_offer(referral=case, code="time", reason="", actor=village)
    with acting(loop.office) as office:
        actions.accept(referral=queries.get(key=referral.key, actor=office), actor=office)
    client.force_login(loop.users["office"])
    assert "心内科二诊室" not in client.get(reverse("referrals:detail", args=[referral.key])).content.decode()


def test_a_dialog_that_is_opened_too_late_says_who_was_first(client: Client) -> None:
    loop = make_loop()
    referral = sent(loop, make_slot(loop, starts_at=timezone.now() + DAY))
    client.force_login(loop.users["office"])
    late = client.get(reverse("referrals:dialog", args=[referral.key, "redirect"])).content.decode()
    assert "郑岚 已先行处理" in late
    assert "已受理待到院" in late
