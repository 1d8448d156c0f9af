"""One pool for all channels: release rule, waiting list in order, changes, queue, added places, stopped clinics, residents."""

import uuid
from datetime import date, datetime, time, timedelta

import pytest
import time_machine
from django.utils import timezone

from doorstep.coordination.scheduling import (
    actions,
    booking_queries,
    calling_actions,
    clinic_actions,
    laying_actions,
    queries,
    queue_actions,
    quota_actions,
    rebooking_actions,
    stopping_actions,
    waiting_actions,
)
from doorstep.coordination.scheduling.clinic_actions import ReleaseRule
from doorstep.coordination.scheduling.models import (
    Booking,
    Place,
    QuotaShare,
    Rebooking,
    Slot,
    Ticket,
    WaitingEntry,
)
from doorstep.coordination.scheduling.rules import CHINA
from doorstep.coordination.scheduling.tests.factories import (
    Clinic,
    book_for,
    make_clinic,
    make_slot,
    stop,
    told,
    want_of,
)
from doorstep.kernel.access.actor import Actor, ActorKind, Purpose, system_actor
from doorstep.kernel.access.refusals import Conflict, NotFound, NotPermitted, Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.worklist.models import Task
from doorstep.people.residents.models import Resident
from doorstep.people.residents.tests.factories import make_resident, make_staff
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db
SYSTEM = system_actor(Purpose.CLOCKS)


def _manager(clinic: Clinic) -> Actor:
    return of_user(make_staff(name="周敏", organization_id=clinic.world.lead, role="clinic_manager"))


def _own(resident: Resident) -> Actor:
    return Actor(
        kind=ActorKind.RESIDENT, display_name=resident.name, user_id=90_000 + resident.pk, resident_ids=(resident.pk,)
    )


def _others(clinic: Clinic, *names: str) -> list[Resident]:
    village = clinic.world.village
    return [
        make_resident(organization_id=village, name=name, number="", phone="", panel_of=(village,)) for name in names
    ]


def test_release_due_lays_out_days_at_their_hour_once() -> None:
    clinic = make_clinic()
    manager = _manager(clinic)
    with time_machine.travel(datetime(2026, 3, 2, 6, 59, tzinfo=CHINA), tick=False) as clock:
        with acting(manager):
            clinic_actions.add_session(
                schedule=clinic.schedule,
                weekday=0,
                starts=time(8),
                ends=time(9),
                minutes=30,
                places={"open": 2},
                actor=manager,
            )
            clinic_actions.set_rule(
                schedule=clinic.schedule, rule=ReleaseRule(release_days=7, release_at=time(7)), actor=manager
            )
        with acting(SYSTEM) as system:
            assert laying_actions.release_due(actor=system) == 0
        clock.move_to(datetime(2026, 3, 2, 7, 0, tzinfo=CHINA))
        with acting(SYSTEM) as system:
            assert laying_actions.release_due(actor=system) == 2
            assert laying_actions.release_due(actor=system) == 0
            assert set(Slot.objects.values_list("starts_at__date", flat=True)) == {date(2026, 3, 9)}


def test_set_shares_deals_places_to_units_and_sink_gives_them_on() -> None:
    clinic = make_clinic()
    manager, world = _manager(clinic), clinic.world
    with time_machine.travel(datetime(2026, 3, 2, 9, tzinfo=CHINA), tick=False) as clock:
        with acting(manager):
            quota_actions.set_shares(
                department_id=clinic.schedule.department_id,
                quota="community",
                weights={world.township: 3, world.village: 1},
                since=date(2026, 3, 3),
                reason="按人口",
                actor=manager,
            )
            clinic_actions.add_session(
                schedule=clinic.schedule,
                weekday=0,
                starts=time(8),
                ends=time(10),
                minutes=30,
                places={"community": 2},
                actor=manager,
            )
            laying_actions.generate_slots(
                schedule=clinic.schedule, first=date(2026, 3, 9), last=date(2026, 3, 9), actor=manager
            )
        assert QuotaShare.objects.count() == 2
        assert Place.objects.filter(origin_organization_id=world.township).count() == 6
        assert Place.objects.filter(origin_organization_id=world.village).count() == 2
        slot = Slot.objects.order_by("starts_at").first()
        assert slot is not None
        with acting(clinic.stranger), pytest.raises((Conflict, NotFound)):
            actions.hold(slot_key=slot.key, origin="community", actor=clinic.stranger, resident_id=clinic.resident.pk)
        moved = []
        for moment in (
            datetime(2026, 3, 6, 15, 59, tzinfo=CHINA),
            datetime(2026, 3, 6, 16, tzinfo=CHINA),
            datetime(2026, 3, 7, 16, tzinfo=CHINA),
            datetime(2026, 3, 8, 16, tzinfo=CHINA),
        ):
            clock.move_to(moment)
            with acting(SYSTEM) as system:
                moved.append(quota_actions.sink(actor=system))
                assert quota_actions.sink(actor=system) == 0
        assert moved == [0, 8, 8, 8]
        assert set(Place.objects.values_list("quota", "given_quota")) == {("open", "community")}
        assert not Place.objects.filter(origin_organization_id__isnull=False).exists()


def test_waiting_list_offers_a_freed_place_to_the_first_by_rule() -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, referral=1)
    old, young = _others(clinic, "钱进", "孙立")
    with acting(system_actor(Purpose.IMPORT)):
        Resident.objects.filter(id=young.pk).update(birth_date=date(1999, 1, 1))
        Resident.objects.filter(id=old.pk).update(birth_date=date(1940, 1, 1))
    booking = book_for(clinic, slot, clinic.resident)
    with acting(clinic.doctor) as li:
        first = waiting_actions.join(resident_id=young.pk, want=want_of(clinic), actor=li)
        second = waiting_actions.join(resident_id=old.pk, want=want_of(clinic), actor=li)
        with pytest.raises(Conflict):
            waiting_actions.join(resident_id=old.pk, want=want_of(clinic), actor=li)
        assert (first.points, second.points) == (4, 5)
        actions.cancel(booking_key=booking.key, actor=li, reason="改期")
        # Nobody can get in between: the place is kept for the first in line before the cancellation commits.
        with pytest.raises(actions.NoPlaceLeft):
            actions.hold(slot_key=slot.key, origin="referral", actor=li, resident_id=clinic.resident.pk)
        second.refresh_from_db()
        assert second.state == "offered"
        assert Task.objects.filter(kind="waiting.offered", closed_at__isnull=True).count() == 1
        waiting_actions.pass_by(entry_key=second.key, actor=li)
    with acting(SYSTEM) as system:
        waiting_actions.offer_freed(actor=system)
    with acting(clinic.doctor) as li:
        entries = {entry.pk: entry for entry in WaitingEntry.objects.all()}
        asked = next(entry for entry in entries.values() if entry.state == "offered")
        assert asked.pk == first.pk
        made = waiting_actions.accept(entry_key=asked.key, actor=li)
        assert made.channel == "waiting"
        assert made.wanted_since == asked.created_at
        assert waiting_actions.accept(entry_key=asked.key, actor=li).pk == made.pk


def test_expire_offers_asks_the_next_and_lets_silent_ones_lapse() -> None:
    clinic = make_clinic()
    start = datetime(2026, 3, 2, 9, tzinfo=CHINA)
    with time_machine.travel(start, tick=False) as clock:
        slots = [make_slot(clinic, starts_at=start + timedelta(days=day), referral=1) for day in (3, 4)]
        with acting(clinic.doctor) as li:
            entry = waiting_actions.join(resident_id=clinic.resident.pk, want=want_of(clinic), actor=li)
        for number in range(2):
            with acting(SYSTEM) as system:
                assert waiting_actions.offer_freed(actor=system) == 1
            clock.shift(timedelta(hours=2, seconds=1))
            with acting(SYSTEM) as system:
                assert waiting_actions.expire_offers(actor=system) == 1
                entry.refresh_from_db()
                assert entry.state == ("waiting" if number == 0 else "lapsed")
                assert queries.counts(slot_ids=[slots[number].pk])["free"] == 1


def test_change_moves_a_booking_or_leaves_it() -> None:
    clinic = make_clinic()
    first = make_slot(clinic, referral=1)
    second = make_slot(clinic, starts_at=timezone.now() + timedelta(days=2), referral=1)
    booking = book_for(clinic, first, clinic.resident)
    with acting(clinic.doctor) as li:
        moved = actions.move(booking_key=booking.key, slot_key=second.key, origin="referral", actor=li)
        booking.refresh_from_db()
        assert (booking.state, moved.state, moved.changed_from_id) == ("cancelled", "booked", booking.pk)
        assert queries.counts(slot_ids=[first.pk]) == {"free": 1, "held": 0, "booked": 0}
        again = actions.move(booking_key=booking.key, slot_key=second.key, origin="referral", actor=li)
        assert again.pk == moved.pk
        with pytest.raises(Conflict):
            actions.move(booking_key=booking.key, slot_key=first.key, origin="referral", actor=li)


def test_queue_calls_by_time_then_precedence_and_each_once() -> None:
    clinic = make_clinic()
    manager = _manager(clinic)
    slot = make_slot(clinic, starts_at=timezone.now() + timedelta(minutes=5), referral=3)
    people = [clinic.resident, *_others(clinic, "钱进", "孙立")]
    bookings = [book_for(clinic, slot, person) for person in people]
    with acting(manager):
        for booking in bookings:
            actions.arrive(booking_key=booking.key, actor=manager)
        assert list(Ticket.objects.order_by("number").values_list("number", flat=True)) == [1, 2, 3]
        called = [
            queue_actions.call_next(schedule_key=clinic.schedule.key, place_name="3 诊室", actor=manager)
            for _n in range(4)
        ]
        assert [one.number if one else None for one in called] == [1, 2, 3, None]
        first = called[0]
        assert first is not None
        queue_actions.pass_over(ticket_key=first.key, actor=manager)
        again = queue_actions.call_next(schedule_key=clinic.schedule.key, place_name="3 诊室", actor=manager)
        assert again is not None
        assert again.number == 1
        assert again.shown_name != clinic.resident.name
        queue_actions.see(ticket_key=again.key, actor=manager)
        bookings[0].refresh_from_db()
        assert bookings[0].state == "fulfilled"
    with acting(clinic.doctor) as li, pytest.raises(NotPermitted):
        queue_actions.call_next(schedule_key=clinic.schedule.key, place_name="", actor=li)


def test_who_was_seen_by_another_way_is_called_no_more() -> None:
    """The number stayed in the queue when a visit was recorded on the booking or by the hospital's system: the wall called who had gone home."""
    clinic = make_clinic()
    manager = _manager(clinic)
    slot = make_slot(clinic, starts_at=timezone.now() + timedelta(minutes=5), referral=2)
    people = [clinic.resident, *_others(clinic, "钱进")]
    bookings = [book_for(clinic, slot, person) for person in people]
    with acting(manager):
        for booking in bookings:
            actions.arrive(booking_key=booking.key, actor=manager)
        actions.fulfil(booking_key=bookings[0].key, actor=manager)
        assert list(Ticket.objects.order_by("number").values_list("state", flat=True)) == ["done", "waiting"]
        called = queue_actions.call_next(schedule_key=clinic.schedule.key, place_name="3 诊室", actor=manager)
        assert called is not None
        assert called.number == 2
        with pytest.raises(Conflict):
            queue_actions.call_again(ticket_key=Ticket.objects.get(number=1).key, actor=manager)


def test_overbook_needs_role_and_reason_and_is_gone_with_its_booking() -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, referral=1)
    book_for(clinic, slot, clinic.resident)
    other = _others(clinic, "钱进")[0]
    manager = _manager(clinic)
    book_for(clinic, make_slot(clinic, starts_at=timezone.now() + timedelta(days=4), referral=1), other)
    with acting(manager):
        with pytest.raises(Refused):
            queue_actions.overbook(slot_key=slot.key, resident_id=other.pk, reason="急", actor=manager)
        extra = queue_actions.overbook(
            slot_key=slot.key, resident_id=other.pk, reason="术后复查必须本周", actor=manager
        )
        assert extra.extra_reason == "术后复查必须本周"
        assert queries.counts(slot_ids=[slot.pk]) == {"free": 0, "held": 0, "booked": 2}
        actions.cancel(booking_key=extra.key, actor=manager, reason="不来了")
        assert queries.counts(slot_ids=[slot.pk]) == {"free": 0, "held": 0, "booked": 1}
    with acting(clinic.doctor) as li, pytest.raises(NotPermitted):
        queue_actions.overbook(slot_key=slot.key, resident_id=other.pk, reason="术后复查必须本周", actor=li)


def test_stopped_clinic_leaves_everybody_a_task_to_rebook() -> None:
    clinic = make_clinic()
    manager = _manager(clinic)
    slot = make_slot(clinic, referral=1)
    later = make_slot(clinic, starts_at=timezone.now() + timedelta(days=3), referral=1)
    booking = book_for(clinic, slot, clinic.resident)
    with acting(manager):
        scope = f"practitioner:{clinic.schedule.practitioner_id}"
        since = timezone.now()
        stopping_actions.stop_scope(
            scope=scope, since=since, until=since + timedelta(days=2), reason="专家外出会诊", actor=manager
        )
    with acting(system_actor(Purpose.HANDLER)) as system:
        assert stopping_actions.call_off(slot_ids=[slot.pk], reason="专家外出会诊", actor=system) == 1
        [(kind, params)] = told(clinic.resident.pk)
        assert (kind, params["reason"]) == ("booking-called-off", "专家外出会诊")
    with acting(clinic.doctor) as li:
        task = Rebooking.objects.get(booking=booking)
        assert Task.objects.filter(kind="rebooking.open", organization_id=clinic.world.village).count() == 1
        made = rebooking_actions.rebook(key=task.key, slot_key=later.key, origin="referral", actor=li)
        task.refresh_from_db()
        assert (task.state, task.new_booking_id, made.changed_from_id) == ("done", made.pk, booking.pk)


def test_a_new_time_from_the_waiting_list_settles_what_a_stopped_clinic_left() -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, referral=1)
    booking = book_for(clinic, slot, clinic.resident)
    stop(slot, reason="设备故障")
    with acting(system_actor(Purpose.HANDLER)) as system:
        assert stopping_actions.call_off(slot_ids=[slot.pk], reason="设备故障", actor=system) == 1
    with acting(clinic.doctor) as li:
        want = waiting_actions.want_for_days(
            department_id=clinic.schedule.department_id, origin="referral", days=20, channel=""
        )
        entry = waiting_actions.join(resident_id=clinic.resident.pk, want=want, actor=li)
        assert booking_queries.who_wait(resident_ids=[clinic.resident.pk]) == {clinic.resident.pk}
    make_slot(clinic, starts_at=timezone.now() + timedelta(days=6), referral=1)
    with acting(system_actor(Purpose.CLOCKS)) as clocks:
        # Not the stopped clinic's own place: the one that is free.
        assert waiting_actions.offer_freed(actor=clocks) == 1
    with acting(clinic.doctor) as li:
        made = waiting_actions.accept(entry_key=entry.key, actor=li)
        task = Rebooking.objects.get(booking=booking)
        assert (task.state, task.new_booking_id) == ("done", made.pk)
        assert not Task.objects.filter(kind="rebooking.open", closed_at__isnull=True).exists()
    own = _own(clinic.resident)
    stop(made.slot, reason="专家外出")
    with acting(system_actor(Purpose.HANDLER)) as system:
        stopping_actions.call_off(slot_ids=[made.slot_id], reason="专家外出", actor=system)
    again = make_slot(clinic, starts_at=timezone.now() + timedelta(days=9), open=1)
    with acting(own):
        mine = calling_actions.book(slot_key=again.key, origin="open", change="", channel="kiosk", person=own)
        assert Rebooking.objects.get(booking=made).new_booking_id == mine.pk


def test_residents_book_for_themselves_alone_and_not_after_missing_three() -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, open=2, referral=1)
    other = _others(clinic, "钱进")[0]
    own = _own(clinic.resident)
    with acting(own):
        with pytest.raises(NotFound):
            actions.hold(slot_key=slot.key, origin="open", actor=own, resident_id=other.pk)
        with pytest.raises(NotPermitted):
            actions.hold(slot_key=slot.key, origin="referral", actor=own, resident_id=clinic.resident.pk)
        held = actions.hold(slot_key=slot.key, origin="open", actor=own, resident_id=clinic.resident.pk)
        booking = actions.book(hold_key=held.key, resident_id=clinic.resident.pk, actor=own)
        assert (booking.channel, booking.source_organization_id) == ("self", clinic.resident.organization_id)
        actions.cancel(booking_key=booking.key, actor=own, reason="")
    for days in (2, 12, 22):
        with acting(system_actor(Purpose.IMPORT)):
            missed = make_slot(clinic, starts_at=timezone.now() - timedelta(days=days), open=1)
            place = Place.objects.get(slot=missed)
            Booking.objects.bulk_create([_missed(booking, missed, place)])
    with acting(own), pytest.raises(Refused, match="3 次"):
        actions.hold(slot_key=slot.key, origin="open", actor=own, resident_id=clinic.resident.pk)


def test_open_places_go_first_to_those_whom_the_rule_names() -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, open=2)
    young = _others(clinic, "孙立")[0]
    with acting(system_actor(Purpose.IMPORT)):
        Slot.objects.filter(pk=slot.pk).update(opens_at=timezone.now() + timedelta(hours=1))
        Resident.objects.filter(id=young.pk).update(birth_date=date(1999, 1, 1))
        Resident.objects.filter(id=clinic.resident.pk).update(birth_date=date(1940, 1, 1))
    with acting(clinic.doctor) as li:
        with pytest.raises(Conflict, match="65"):
            actions.hold(slot_key=slot.key, origin="open", actor=li, resident_id=young.pk)
        assert actions.hold(slot_key=slot.key, origin="open", actor=li, resident_id=clinic.resident.pk).number == 1


def _missed(like: Booking, slot: Slot, place: Place) -> Booking:
    return Booking(
        place=place,
        slot=slot,
        resident_id=like.resident_id,
        resident_key=like.resident_key,
        organization_id=like.organization_id,
        source_organization_id=like.source_organization_id,
        quota="open",
        period=(slot.starts_at, slot.ends_at),
        hold_key=uuid.uuid4(),
        state="no-show",
    )
