"""What follows from a visit at the hospital's clinics: a place that the doctor books, which is kept, given back or missed."""

from datetime import date, datetime, time, timedelta
from functools import partial
from uuid import uuid4

from django.utils import timezone

from doorstep.coordination.scheduling import actions as scheduling
from doorstep.coordination.scheduling.laying_actions import generate_slots
from doorstep.coordination.scheduling.models import Booking, Schedule, Slot
from doorstep.coordination.scheduling.taking import VIEW_AFTER
from doorstep.demo.cast import actor_of_practitioner
from doorstep.demo.county import heroes
from doorstep.demo.county.clock import CHINA
from doorstep.demo.living.agenda import Agenda, NobodyThere
from doorstep.demo.living.village import Day
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.people.residents.models import Resident

# How people behave [own choice]: who is booked, who gives the place back, who comes.
_BOOKED, _GIVEN_BACK, _COMES = 0.6, 0.1, 0.85
_ORIGINS = ("community", "community", "contract", "referral", "open")
_SOON, _AHEAD = timedelta(hours=3), timedelta(days=6)
_TALK, _EARLY, _SEEN = (60, 400), timedelta(minutes=20), timedelta(minutes=35)
_OPENS = time(6, 30)


def plan_clinics(agenda: Agenda, first: date, last: date) -> None:
    """Lay out the hospital's clinics of the lived days, early on the first of them.

    Not before the days of which a clinic still sees its bookings: the database, which decides that, goes by today's clock, also
    while the county lives last week.
    """
    opened = max(first, last - VIEW_AFTER + timedelta(days=1))
    agenda.put(datetime.combine(first, _OPENS, CHINA), "clinics-open", partial(_open, opened, last))


def after_visit(day: Day, resident: Resident, doctor: Actor) -> None:
    """Plan that the doctor books a specialist for somebody who was seen."""
    if day.happens(_BOOKED):
        day.agenda.put(day.later(timezone.now(), _TALK), "clinic-booking", partial(_book, day, resident, doctor))


def _open(first: date, last: date) -> None:
    with acting(system_actor(Purpose.IMPORT)) as actor:
        for schedule in Schedule.objects.filter(organization_id=heroes.TERTIARY_HOSPITAL, is_active=True):
            generate_slots(schedule=schedule, first=first, last=last, actor=actor)


def _book(day: Day, resident: Resident, doctor: Actor) -> None:
    now = timezone.now()
    with acting(doctor):
        soon = Slot.objects.filter(schedule__organization_id=heroes.TERTIARY_HOSPITAL, stopped_at__isnull=True)
        soon = soon.filter(starts_at__range=(now + _SOON, now + _AHEAD)).order_by("starts_at", "id")
        slots = list(soon.values_list("key", flat=True))
        if not slots:
            raise NobodyThere()
        origin = _ORIGINS[int(day.rng.integers(len(_ORIGINS)))]
        booking = scheduling.book_at_once(
            slot_key=slots[int(day.rng.integers(len(slots)))],
            origin=origin,
            resident_id=resident.pk,
            actor=doctor,
            request_key=uuid4(),
        )
        starts, ends = booking.slot.starts_at, booking.slot.ends_at
    if day.happens(_GIVEN_BACK):
        day.agenda.put(now + (starts - now) / 2, "clinic-given-back", partial(_give_back, booking, doctor))
    elif day.happens(_COMES):
        day.agenda.put(starts - _EARLY, "clinic-arrival", partial(_arrive, day, booking))
    else:
        over = ends + scheduling.NO_SHOW_AFTER + timedelta(minutes=1)
        day.agenda.put(over, "clinic-missed", _miss)


def _give_back(booking: Booking, doctor: Actor) -> None:
    with acting(doctor):
        scheduling.cancel(booking_key=booking.key, actor=doctor, reason="患者临时有事，改日再约")


def _arrive(day: Day, booking: Booking) -> None:
    office = actor_of_practitioner(heroes.REFERRAL_OFFICER)
    with acting(office):
        scheduling.arrive(booking_key=booking.key, actor=office)
    day.agenda.put(timezone.now() + _SEEN, "clinic-seen", partial(_seen, booking))


def _seen(booking: Booking) -> None:
    office = actor_of_practitioner(heroes.REFERRAL_OFFICER)
    with acting(office):
        scheduling.fulfil(booking_key=booking.key, actor=office)


def _miss() -> None:
    with acting(system_actor(Purpose.CLOCKS)) as actor:
        scheduling.record_no_shows(actor=actor)
