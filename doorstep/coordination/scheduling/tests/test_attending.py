"""A check-in is taken back, a person leaves unseen, and the evening closes what nobody entered."""

from datetime import datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from doorstep.coordination.scheduling import actions, attending_actions, booking_queries, queue_actions, queue_queries
from doorstep.coordination.scheduling.models import Booking, Ticket
from doorstep.coordination.scheduling.tests.factories import Clinic, book_for, make_clinic, make_slot, told
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.refusals import Conflict, NotPermitted, Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.record.models import Resource
from doorstep.people.residents.models import ResidentAccount
from doorstep.people.residents.tests.factories import make_resident, make_staff
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db
SYSTEM = system_actor(Purpose.CLOCKS)


def _arrived(*names: str) -> tuple[Clinic, User, Actor, list[Booking]]:
    """People who checked in at the desk for a time in five minutes, in this order."""
    clinic = make_clinic()
    village = clinic.world.village
    people = [
        make_resident(organization_id=village, name=name, number="", phone="", panel_of=(village,)) for name in names
    ]
    slot = make_slot(clinic, starts_at=timezone.now() + timedelta(minutes=5), referral=len(people))
    bookings = [book_for(clinic, slot, person) for person in people]
    user = make_staff(name="江雪琴", organization_id=clinic.world.lead, role="clinic_desk")
    with acting(of_user(user)) as desk:
        for booking in bookings:
            actions.arrive(booking_key=booking.key, actor=desk)
    return clinic, user, desk, bookings


def _tomorrow(hour: int) -> datetime:
    """An hour of tomorrow; what a clinic may see is dated by the database's own clock, so days long past would show nothing."""
    start = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    return start + timedelta(days=1, hours=hour)


def test_take_back_arrival_voids_the_number_and_gives_it_to_nobody_else() -> None:
    clinic, _user, desk, (first, second) = _arrived("吴大山", "钱进")
    with acting(desk):
        with pytest.raises(Refused):
            attending_actions.take_back_arrival(booking_key=first.key, reason=" ", actor=desk)
        assert (
            attending_actions.take_back_arrival(booking_key=first.key, reason="按错了人", actor=desk).state == "booked"
        )
        ticket = Ticket.objects.get(booking=first)
        assert (ticket.state, ticket.number) == ("void", 1)
        with pytest.raises(Conflict):
            queue_actions.call_again(ticket_key=ticket.key, actor=desk)
        called = queue_actions.call_next(schedule_key=clinic.schedule.key, place_name="3 诊室", actor=desk)
        assert called is not None
        assert called.booking_id == second.pk
        # The right person comes later and has the number from before.
        actions.arrive(booking_key=first.key, actor=desk)
        ticket.refresh_from_db()
        assert (ticket.state, ticket.number) == ("waiting", 1)
    with acting(clinic.doctor) as li, pytest.raises(NotPermitted):
        attending_actions.take_back_arrival(booking_key=second.key, reason="不是本院", actor=li)


def test_who_leaves_unseen_has_missed_nothing_and_may_come_back() -> None:
    clinic, _user, desk, (booking,) = _arrived("吴大山")
    with acting(desk):
        ticket = queue_actions.call_next(schedule_key=clinic.schedule.key, place_name="3 诊室", actor=desk)
        assert ticket is not None
        queue_actions.pass_over(ticket_key=ticket.key, actor=desk)
        assert queue_actions.leave(ticket_key=ticket.key, actor=desk).state == "void"
        booking.refresh_from_db()
        assert booking.state == "left"
        assert queue_queries.boards(organization_id=clinic.world.lead, day=timezone.localdate()) == []
    with acting(SYSTEM):
        shown = Resource.objects.get(fhir_id=str(booking.key)).content
        assert (shown["status"], shown["cancelationReason"]) == ("cancelled", {"text": "报到后未就诊"})
        assert booking_queries.missed_count(resident_id=booking.resident_id) == 0
        assert told(booking.resident_id)[-1][0] == "booking-left"
    with acting(desk):
        actions.arrive(booking_key=booking.key, actor=desk)
        assert Ticket.objects.get(booking=booking).state == "waiting"
        assert actions.fulfil(booking_key=booking.key, actor=desk).state == "fulfilled"


def test_the_evening_closes_who_was_not_seen_and_the_visit_may_be_entered_later() -> None:
    afternoon, midnight = _tomorrow(15), _tomorrow(24)
    with time_machine.travel(afternoon, tick=False) as clock:
        _clinic, _user, desk, (booking, seen) = _arrived("吴大山", "钱进")
        with acting(desk):
            actions.fulfil(booking_key=seen.key, actor=desk)
        clock.move_to(midnight - timedelta(minutes=1))
        with acting(SYSTEM) as system:
            assert attending_actions.close_days(actor=system) == 0
        clock.move_to(midnight + timedelta(minutes=1))
        with acting(SYSTEM) as system:
            assert attending_actions.close_days(actor=system) == 1
            assert attending_actions.close_days(actor=system) == 0
            booking.refresh_from_db()
            assert booking.state == "left"
            assert booking_queries.missed_count(resident_id=booking.resident_id) == 0
        with acting(desk):
            assert actions.fulfil(booking_key=booking.key, actor=desk).state == "fulfilled"


def test_the_evening_waits_two_hours_for_a_clinic_of_the_night() -> None:
    midnight = _tomorrow(24)
    with time_machine.travel(midnight - timedelta(minutes=40), tick=False) as clock:
        _clinic, _user, _desk, (_booking,) = _arrived("吴大山")
        for minutes, closed in ((30, 0), (116, 1)):
            clock.move_to(midnight + timedelta(minutes=minutes))
            with acting(SYSTEM) as system:
                assert attending_actions.close_days(actor=system) == closed


def test_pages_take_back_and_note_who_left(client: Client) -> None:
    clinic, user, desk, (first, second) = _arrived("吴大山", "钱进")
    client.force_login(user)
    page = client.get(f"/slots/bookings/{first.key}/").content.decode()
    assert "撤销报到" in page
    assert "离开未就诊" in page
    assert client.post(f"/slots/bookings/{first.key}/undo-arrive/", {"reason": "按错了人"}).status_code == 302
    with acting(desk):
        ticket = queue_actions.call_next(schedule_key=clinic.schedule.key, place_name="3 诊室", actor=desk)
        assert ticket is not None
        queue_actions.pass_over(ticket_key=ticket.key, actor=desk)
    assert "离开未就诊" in client.get("/slots/day/").content.decode()
    assert client.post(f"/slots/tickets/{ticket.key}/leave/").status_code == 302
    day = client.get("/slots/day/").content.decode()
    assert "重新报到" in day
    assert "报到后未就诊" in day
    with acting(SYSTEM):
        assert Booking.objects.get(pk=first.pk).state == "booked"
        assert Booking.objects.get(pk=second.pk).state == "left"


def test_the_own_phone_says_who_is_called_and_who_was_passed_over(client: Client) -> None:
    clinic, _user, desk, (booking,) = _arrived("吴大山")
    with acting(system_actor(Purpose.IMPORT)):
        user = User.objects.create_user("wu", password="correct-horse-9", kind=User.Kind.RESIDENT)
        ResidentAccount.objects.create(
            user=user, resident_id=booking.resident_id, relation="self", since=timezone.localdate()
        )
    client.force_login(user)
    assert "您是 1 号" in client.get("/slots/my/").content.decode()
    with acting(desk):
        ticket = queue_actions.call_next(schedule_key=clinic.schedule.key, place_name="3 诊室", actor=desk)
    assert ticket is not None
    assert "正在叫您：1 号，请到 3 诊室 就诊。" in client.get("/slots/my/").content.decode()
    with acting(desk):
        queue_actions.pass_over(ticket_key=ticket.key, actor=desk)
    assert "已过号" in client.get("/slots/my/").content.decode()
