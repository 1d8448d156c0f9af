"""Whoever was passed over, left and came back, or came too late: called after the next three who wait; and how many are before one."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from doorstep.coordination.scheduling import actions, own_queries, queue_actions, queue_queries, waiting_actions
from doorstep.coordination.scheduling.models import Booking, Schedule, Ticket, WaitingEntry
from doorstep.coordination.scheduling.tests.factories import Clinic, book_for, make_clinic, make_slot, want_of
from doorstep.coordination.scheduling.tests.test_kiosk import facts_of, kiosk
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.refusals import Conflict, NotPermitted
from doorstep.kernel.access.session import acting
from doorstep.people.residents.models import ResidentAccount
from doorstep.people.residents.tests.factories import make_resident, make_staff
from doorstep.people.workforce.models import Practitioner
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db
NAMES = ("钱进", "孙立", "吴大山", "李冬", "赵秋")


def _arrived(*names: str) -> tuple[Clinic, Actor, list[Booking]]:
    """周桂兰 and these, checked in at the desk in this order for a time in five minutes."""
    clinic = make_clinic()
    village = clinic.world.village
    people = [clinic.resident]
    people += [
        make_resident(organization_id=village, name=name, number="", phone="", panel_of=(village,)) for name in names
    ]
    slot = make_slot(clinic, starts_at=timezone.now() + timedelta(minutes=5), referral=len(people))
    bookings = [book_for(clinic, slot, person) for person in people]
    desk = of_user(make_staff(name="江雪琴", organization_id=clinic.world.lead, role="clinic_desk"))
    with acting(desk):
        for booking in bookings:
            actions.arrive(booking_key=booking.key, actor=desk)
    return clinic, desk, bookings


def _next(clinic: Clinic, desk: Actor) -> int | None:
    ticket = queue_actions.call_next(schedule_key=clinic.schedule.key, place_name="3 诊室", actor=desk)
    return ticket.number if ticket else None


def _line(clinic: Clinic) -> list[int]:
    (board,) = queue_queries.boards(organization_id=clinic.world.lead, day=timezone.localdate())
    return [one.number for one in board.waiting]


def test_who_was_passed_over_and_lines_up_again_is_called_after_three_others() -> None:
    clinic, desk, _bookings = _arrived(*NAMES)
    with acting(desk):
        assert _next(clinic, desk) == 1
        first = Ticket.objects.get(number=1)
        with pytest.raises(Conflict):
            queue_actions.line_up(ticket_key=first.key, actor=desk)
        queue_actions.pass_over(ticket_key=first.key, actor=desk)
        queue_actions.line_up(ticket_key=first.key, actor=desk)
        assert _line(clinic) == [2, 3, 4, 1, 5, 6]
        assert [_next(clinic, desk) for _one in range(2)] == [2, 3]
        assert _line(clinic) == [4, 1, 5, 6]
        assert [_next(clinic, desk) for _one in range(5)] == [4, 1, 5, 6, None]
        # Called a second time: nothing is left of the line that was.
        assert Ticket.objects.get(number=1).turn_in is None
    with acting(clinic.doctor) as li, pytest.raises(NotPermitted):
        queue_actions.line_up(ticket_key=first.key, actor=li)


def test_who_was_passed_over_and_does_not_come_back_is_called_last() -> None:
    clinic, desk, _bookings = _arrived(*NAMES[:2])
    with acting(desk):
        assert _next(clinic, desk) == 1
        queue_actions.pass_over(ticket_key=Ticket.objects.get(number=1).key, actor=desk)
        assert [_next(clinic, desk) for _one in range(4)] == [2, 3, 1, None]


def test_with_few_who_wait_nobody_waits_for_three() -> None:
    clinic, desk, _bookings = _arrived(NAMES[0])
    with acting(desk):
        assert _next(clinic, desk) == 1
        first = Ticket.objects.get(number=1)
        queue_actions.pass_over(ticket_key=first.key, actor=desk)
        queue_actions.line_up(ticket_key=first.key, actor=desk)
        assert [_next(clinic, desk) for _one in range(3)] == [2, 1, None]


def test_who_left_after_a_call_and_who_comes_too_late_go_behind_three() -> None:
    clinic, desk, bookings = _arrived(*NAMES)
    with acting(desk):
        # The last one's check-in was a mistake, and she really comes when her time is over.
        from_before = Ticket.objects.get(booking=bookings[5])
        assert _next(clinic, desk) == 1
        first = Ticket.objects.get(number=1)
        queue_actions.pass_over(ticket_key=first.key, actor=desk)
        queue_actions.leave(ticket_key=first.key, actor=desk)
        actions.arrive(booking_key=bookings[0].key, actor=desk)
        assert _line(clinic) == [2, 3, 4, 1, 5, 6]
        Ticket.objects.filter(pk=from_before.pk).delete()
        Booking.objects.filter(pk=bookings[5].pk).update(state="booked")
        end = bookings[5].slot.ends_at
        if timezone.localdate(end + timedelta(minutes=1)) == timezone.localdate(bookings[5].slot.starts_at):
            with time_machine.travel(end + timedelta(minutes=1), tick=False):
                actions.arrive(booking_key=bookings[5].key, actor=desk)
            assert Ticket.objects.get(booking=bookings[5]).turn_in == 3


def test_the_person_hears_how_many_are_before_though_their_numbers_are_not_the_persons_to_see() -> None:
    clinic, _desk, bookings = _arrived(*NAMES[:2])
    with acting(system_actor(Purpose.IMPORT)):
        user = User.objects.create_user("wu", password="correct-horse-9", kind=User.Kind.RESIDENT)
        ResidentAccount.objects.create(
            user=user, resident_id=bookings[2].resident_id, relation="self", since=timezone.localdate()
        )
    bookings[2].refresh_from_db()
    with acting(of_user(user)) as person:
        assert Ticket.objects.count() == 1
        assert own_queries.ahead(bookings[2], actor=person) == 2
    slot = make_slot(clinic, starts_at=timezone.now() + timedelta(days=3), referral=0)
    with acting(clinic.doctor) as li:
        for booking in bookings[1:]:
            waiting_actions.join(resident_id=booking.resident_id, want=want_of(clinic), actor=li)
    assert slot
    client = Client()
    client.force_login(user)
    page = client.get("/slots/my/").content.decode()
    assert "您是 3 号，前面还有 2 人" in page
    with acting(system_actor(Purpose.INDICATORS)):
        assert WaitingEntry.objects.filter(state="waiting").count() == 2
    assert "前面还有 1 人" in page


def test_at_the_machine_and_at_the_desk_somebody_lines_up_again(client: Client) -> None:
    clinic, desk, bookings = _arrived(*NAMES)
    first = bookings[0]
    with acting(desk):
        assert _next(clinic, desk) == 1
        ticket = Ticket.objects.get(number=1)
        queue_actions.pass_over(ticket_key=ticket.key, actor=desk)
    kiosk(client, clinic)
    assert client.post("/slots/kiosk/", facts_of(clinic)).status_code == 302
    assert "已过号" in client.get(f"/slots/kiosk/tickets/{first.key}/").content.decode()
    assert client.post(f"/slots/kiosk/tickets/{first.key}/line-up/").status_code == 302
    page = client.get(f"/slots/kiosk/tickets/{first.key}/").content.decode()
    assert "已过号" not in page
    assert "3 人" in page
    # Pressed once more from a page that was left open: nothing moves, and the number is shown.
    assert client.post(f"/slots/kiosk/tickets/{first.key}/line-up/").status_code == 302
    with acting(desk):
        assert [_next(clinic, desk) for _one in range(4)] == [2, 3, 4, 1]
        queue_actions.pass_over(ticket_key=ticket.key, actor=desk)
    client.force_login(make_staff(name="周敏", organization_id=clinic.world.lead, role="clinic_desk"))
    assert "重新排队" in client.get("/slots/day/").content.decode()
    assert client.post(f"/slots/tickets/{ticket.key}/line-up/").status_code == 302
    assert "重排" in client.get("/slots/day/").content.decode()


def test_a_doctor_finds_the_own_clinic_chosen_and_calls_with_one_click(client: Client) -> None:
    clinic, _desk, _bookings = _arrived()
    expert = make_staff(name="王主任", organization_id=clinic.world.lead, role="specialist", username="wang")
    with acting(system_actor(Purpose.IMPORT)):
        other = Schedule.objects.create(organization_id=clinic.world.lead, department=clinic.schedule.department)
        Schedule.objects.filter(pk=clinic.schedule.pk).update(practitioner=Practitioner.objects.get(user=expert))
    client.force_login(expert)
    page = client.get("/slots/day/").content.decode()
    assert f"/slots/day/{clinic.schedule.key}/call/" in page
    assert "先在上方选择一个排班" not in page
    # All, and another clinic, can be looked at all the same.
    assert "先在上方选择一个排班" in client.get("/slots/day/", {"schedule": ""}).content.decode()
    assert f"/slots/day/{other.key}/call/" in client.get("/slots/day/", {"schedule": str(other.key)}).content.decode()
