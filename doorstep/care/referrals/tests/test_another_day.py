"""Who did not come agrees another day: the place, the clock, the notices, and what machines read."""

from datetime import UTC, timedelta

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from doorstep.care.referrals import actions, events, handlers, queries
from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.presenters.course import steps_of
from doorstep.care.referrals.tests.factories import CONSENT, Loop, draft, make_loop, make_slot, referral_in
from doorstep.coordination.beds import actions as beds
from doorstep.coordination.beds.events import BedReleased
from doorstep.coordination.beds.models import Bed
from doorstep.coordination.notices.models import Notice
from doorstep.coordination.scheduling.models import Booking
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.events.models import EventRow
from doorstep.kernel.events.tasks import to_event
from doorstep.kernel.record import queries as record
from doorstep.kernel.workflow.actions import TransitionRefused
from doorstep.kernel.worklist.models import Task

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def not_come(loop: Loop) -> Referral:
    """An ordinary referral with a booked place, whose patient did not come."""
    slot = make_slot(loop)
    referral = draft(loop)
    with acting(loop.village) as village:
        values = {"kind": "ordinary", "critical": False, "bed_requested": False, "aim": "department"}
        actions.revise(referral=referral, actor=village, values=values)
        actions.hold_slot(referral=referral, slot_key=slot.key, actor=village)
        actions.submit(referral=referral, consent=CONSENT, actor=village)
    with acting(loop.office) as office:
        actions.accept(referral=queries.get(key=referral.key, actor=office), actor=office)
    with acting(system_actor(Purpose.CLOCKS)) as clocks:
        assert actions.expire_arrivals(actor=clocks, now=timezone.now() + DAY) == 1
    with acting(loop.village) as village:
        return queries.get(key=referral.key, actor=village)


def test_another_place_is_booked_and_the_old_one_is_free() -> None:
    loop = make_loop()
    referral = not_come(loop)
    old = referral.booking_id
    later = make_slot(loop, starts_at=timezone.now() + 2 * DAY)
    with acting(loop.village) as village:
        agreed = actions.agree_day(referral=referral, actor=village, slot_key=later.key, reason="昨天下雨，路不通")
        assert (agreed.state, agreed.expected_at) == ("accepted", later.starts_at)
        assert agreed.booking_id != old
        assert Booking.objects.get(pk=old or 0).state == "cancelled"
        assert "王主任" in agreed.appointment_text
    with acting(loop.office) as office:
        task = Task.objects.get(kind="referral.accepted", closed_at__isnull=True)
        assert task.organization_id == loop.world.lead
        assert task.due_at == later.starts_at + timedelta(hours=2)
        shown = record.read(type="Task", fhir_id=str(referral.key))
        request = record.read(type="ServiceRequest", fhir_id=str(referral.key))
        assert shown is not None
        assert (shown["status"], shown["businessStatus"]["coding"][0]["code"]) == ("accepted", "accepted")
        assert request is not None
        assert (request["status"], request["occurrenceDateTime"][:10]) == (
            "active",
            later.starts_at.astimezone(UTC).date().isoformat(),
        )
        arrived = actions.check_in(referral=queries.get(key=referral.key, actor=office), method="qr", actor=office)
        assert arrived.state == "arrived"


def test_a_time_without_a_place_runs_its_own_clock_and_may_be_missed_again() -> None:
    loop = make_loop()
    referral = not_come(loop)
    with acting(loop.village) as village:
        for wrong in (None, timezone.now() - DAY, timezone.now() + 40 * DAY):
            with pytest.raises(Refused) as caught:
                actions.agree_day(referral=referral, actor=village, expected_at=wrong)
            assert set(caught.value.fields) == {"expected_at"}
        agreed = actions.agree_day(referral=referral, actor=village, expected_at=timezone.now() + DAY)
        assert (agreed.state, agreed.booking_id, agreed.appointment_text) == ("accepted", None, "")
    with acting(system_actor(Purpose.CLOCKS)) as clocks:
        assert actions.expire_arrivals(actor=clocks) == 0
        assert actions.expire_arrivals(actor=clocks, now=timezone.now() + 2 * DAY) == 1


def test_sender_and_receiving_office_may_for_who_did_not_come_and_nobody_else() -> None:
    loop = make_loop()
    referral = not_come(loop)
    at = timezone.now() + DAY
    with acting(loop.specialist) as ward, pytest.raises(Refused):
        actions.agree_day(referral=queries.get(key=referral.key, actor=ward), actor=ward, expected_at=at)
    with acting(loop.office) as office:
        case = queries.get(key=referral.key, actor=office)
        agreed = actions.agree_day(referral=case, actor=office, expected_at=at, reason="电话联系，明天到")
        assert (agreed.state, agreed.expected_at) == ("accepted", at)
        actions.check_in(referral=case, method="qr", actor=office)
    with acting(loop.village) as village:
        case = queries.get(key=referral.key, actor=village)
    with pytest.raises(TransitionRefused), acting(loop.village) as village:
        actions.agree_day(referral=case, actor=village, expected_at=at)


def test_office_that_waited_in_vain_books_another_place(client: Client) -> None:
    loop = make_loop()
    referral = not_come(loop)
    later = make_slot(loop, starts_at=timezone.now() + 2 * DAY)
    client.force_login(loop.users["office"])
    page = client.get(reverse("referrals:detail", args=[referral.key])).content.decode()
    assert "约定新的到院时间" in page
    asked = client.get(reverse("referrals:dialog", args=[referral.key, "agree_day_there"])).content.decode()
    assert str(later.key) in asked
    act = reverse("referrals:act", args=[referral.key, "agree_day_there"])
    answer = client.post(act, {"slot": str(later.key), "expected_at": "", "reason": "电话约定"})
    assert answer.status_code == 302
    with acting(loop.office) as office:
        case = queries.get(key=referral.key, actor=office)
        assert (case.state, case.expected_at) == ("accepted", later.starts_at)
        assert Booking.objects.get(pk=case.booking_id or 0).state == "booked"


def test_both_sides_and_the_resident_are_told() -> None:
    loop = make_loop()
    referral = not_come(loop)
    with acting(loop.village) as village:
        actions.agree_day(referral=referral, actor=village, expected_at=timezone.now() + DAY)
    with acting(system_actor(Purpose.HANDLER)):
        row = EventRow.objects.filter(subject=referral.subject).latest("id")
        handlers.tell_parties(to_event(row, getattr(events, row.name)))
        told = set(Notice.objects.values_list("kind", "organization_id", "resident_id"))
    assert told == {
        ("referral-new-day", loop.world.village, None),
        ("referral-new-day", loop.world.lead, None),
        ("own-referral-new-day", None, loop.resident.pk),
    }


def test_page_offers_another_day_first_and_says_what_is_wrong(client: Client) -> None:
    loop = make_loop()
    referral = not_come(loop)
    make_slot(loop, starts_at=timezone.now() + 2 * DAY)
    client.force_login(loop.users["village"])
    page = client.get(reverse("referrals:detail", args=[referral.key])).content.decode()
    assert "约定新的到院时间" in page
    dialog = client.get(reverse("referrals:dialog", args=[referral.key, "agree_day"])).content.decode()
    assert "王主任" in dialog
    act = reverse("referrals:act", args=[referral.key, "agree_day"])
    refused = client.post(act, {"slot": "", "expected_at": "", "reason": ""})
    assert refused.status_code == 422
    assert "请选择号源" in refused.content.decode()
    at = timezone.localtime(timezone.now() + DAY).strftime("%Y-%m-%dT%H:%M")
    assert client.post(act, {"slot": "", "expected_at": at, "reason": "改日"}).status_code == 302
    assert "已受理待到院" in client.get(reverse("referrals:detail", args=[referral.key])).content.decode()


def test_both_sides_hear_that_a_kept_bed_is_free_again() -> None:
    loop = make_loop()
    with acting(system_actor(Purpose.IMPORT)) as system:
        beds.open_ward(organization_id=loop.world.lead, name="心内一病区", beds=["1", "2"], actor=system)
    referral = referral_in(loop, "submitted_green")
    with acting(loop.office) as office:
        case = queries.get(key=referral.key, actor=office)
        first, second = Bed.objects.order_by("number")
        at = timezone.now() + timedelta(hours=2)
        actions.offer_place(referral=case, text="", bed_key=first.key, expected_at=at, actor=office)
        # Kept anew in another bed: nobody has to hear of the first.
        first.refresh_from_db()
        beds.move_bed(bed_key=first.key, verb="release", reason="", actor=office)
        second.refresh_from_db()
        beds.hold(bed=second, reference=referral.subject, until=at, actor=office)
    assert heard(first) == set()
    with acting(loop.office) as office:
        beds.move_bed(bed_key=second.key, verb="release", reason="", actor=office)
    assert heard(second) == {("bed-released", loop.world.lead), ("bed-released-there", loop.world.village)}


def heard(bed: Bed) -> set[tuple[str, int | None]]:
    """Who is told when the last keeping of a bed has ended."""
    with acting(system_actor(Purpose.HANDLER)):
        row = EventRow.objects.filter(name="BedReleased", subject=bed.subject).latest("id")
        handlers.tell_bed_released(to_event(row, BedReleased))
        return set(Notice.objects.filter(kind__startswith="bed-").values_list("kind", "organization_id"))


def test_a_kept_bed_waits_for_the_new_day_and_a_lost_one_is_forgotten() -> None:
    for lost in (False, True):
        with transaction.atomic():
            loop = make_loop()
            referral = not_come(loop)
            with acting(system_actor(Purpose.IMPORT)) as system:
                beds.open_ward(organization_id=loop.world.lead, name="心内一病区", beds=["1"], actor=system)
            with acting(loop.office) as office:
                bed, soon = Bed.objects.get(), timezone.now() + timedelta(hours=1)
                beds.hold(bed=bed, reference=referral.subject, until=soon, actor=office)
                Referral.objects.filter(pk=referral.pk).update(bed_key=bed.key)
                if lost:
                    beds.move_bed(bed_key=bed.key, verb="release", reason="", actor=office)
            with acting(loop.village) as village:
                case = queries.get(key=referral.key, actor=village)
                agreed = actions.agree_day(referral=case, actor=village, expected_at=timezone.now() + DAY)
            bed.refresh_from_db()
            assert agreed.bed_key == (None if lost else bed.key)
            assert lost or bed.held_until == agreed.expected_at + timedelta(hours=2)  # type: ignore[operator]
            transaction.set_rollback(True)


def test_a_withdrawn_referral_stopped_where_it_had_come_to() -> None:
    loop = make_loop()
    referral = not_come(loop)
    with acting(loop.village) as village:
        withdrawn = actions.withdraw(referral=referral, reason="患者暂缓", actor=village)
        steps = steps_of(withdrawn)
    assert [one["state"] for one in steps] == ["done", "stopped"]
    assert steps[1]["label"] == "已撤回"
