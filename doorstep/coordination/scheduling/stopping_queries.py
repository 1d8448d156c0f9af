"""What a stop would hit: asked before anybody presses 停诊, and by the stop itself."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Max, Min, Q, QuerySet
from django.utils import timezone

from doorstep.coordination.scheduling import clinic_queries
from doorstep.coordination.scheduling.hours import Hours, begins_in
from doorstep.coordination.scheduling.models import Booking, Schedule, Slot
from doorstep.coordination.scheduling.permissions import Permission
from doorstep.kernel.access.actor import Actor, Purpose
from doorstep.kernel.access.session import for_purpose

# So many people are named on the page; the others are counted.
NAMED = 200


@dataclass(frozen=True, slots=True)
class Hit:
    """What a stop means for one schedule: how many slots stand still, who is booked there, what is kept or offered at this moment."""

    schedule: Schedule
    first: datetime
    last: datetime
    slots: int
    booked: int
    referred: int
    kept: int


@dataclass(frozen=True, slots=True)
class Outlook:
    """A stop before it is made. `people` are named for whoever sees the clinic's list anyway, and only as far as the actor sees them."""

    hits: tuple[Hit, ...]
    people: tuple[Booking, ...]

    @property
    def slots(self) -> int:
        """How many slots would stand still."""
        return sum(one.slots for one in self.hits)

    @property
    def booked(self) -> int:
        """How many bookings would be called off."""
        return sum(one.booked for one in self.hits)

    @property
    def unnamed(self) -> int:
        """How many of them are not listed."""
        return self.booked - len(self.people)


def open_slots(
    *, schedules: Iterable[Schedule], since: datetime, until: datetime, scope: str = "", hours: Hours | None = None
) -> QuerySet[Slot]:
    """The slots that a stop of this time, or of these hours of its days, shuts: what has begun stays as it is, and what stands still."""
    found = Slot.objects.filter(
        begins_in(hours),
        schedule__in=list(schedules),
        starts_at__gte=max(since, timezone.now()),
        starts_at__lt=until,
        stopped_at__isnull=True,
    )
    return clinic_queries.slots_in_scope(found, scope)


def outlook(*, scope: str, since: datetime, until: datetime, actor: Actor, hours: Hours | None = None) -> Outlook:
    """What a stop of a scope would hit, in four statements however many schedules and people there are."""
    schedules = {one.pk: one for one in clinic_queries.schedules_of(scope=scope, actor=actor)}
    slots = open_slots(schedules=schedules.values(), since=since, until=until, scope=scope, hours=hours)
    with for_purpose(Purpose.HANDLER, actor):
        # Counted for the house: whoever stops a clinic need not see those whom it calls off.
        rows = list(_counted(slots))
    hits = tuple(Hit(schedules[row[0]], *row[1:]) for row in rows)
    return Outlook(hits, tuple(_people(slots)) if actor.may(Permission.QUEUE_CALL) else ())


def _counted(slots: QuerySet[Slot]) -> Iterable[tuple[Any, ...]]:
    booked = Q(bookings__state="booked")
    kept = Q(places__state="held", places__held_until__gt=timezone.now())
    by_schedule = slots.values_list("schedule_id").annotate(
        first=Min("starts_at"),
        last=Max("ends_at"),
        slots=Count("id", distinct=True),
        booked=Count("bookings", filter=booked, distinct=True),
        referred=Count("bookings", filter=booked & ~Q(bookings__reference=""), distinct=True),
        kept=Count("places", filter=kept, distinct=True),
    )
    return by_schedule.order_by("first", "schedule_id")


def _people(slots: QuerySet[Slot]) -> Sequence[Booking]:
    found = Booking.objects.filter(slot__in=slots.values("id"), state="booked", resident__isnull=False)
    with_names = ("resident", "source_organization", "slot__schedule__department", "slot__schedule__practitioner")
    more = ("slot__schedule__facility", "slot__facility")
    return list(found.select_related(*with_names, *more).order_by(F("slot__starts_at"), "place__number")[:NAMED])
