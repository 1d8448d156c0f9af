"""Reads of people's bookings: appointments missed, what is due at a clinic, the resident's own list."""

import uuid
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta

from django.db.models import Exists, OuterRef, Q, Subquery
from django.utils import timezone

from doorstep.coordination.scheduling import precedence
from doorstep.coordination.scheduling.models import Booking, Rebooking, WaitingEntry
from doorstep.coordination.scheduling.queries import as_key
from doorstep.coordination.scheduling.states import EXPECTED, TAKEN, WAITING_LIVE
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.database.remembered import Remembered
from doorstep.kernel.worklist import queries as worklist
from doorstep.people.residents.finding import fits
from doorstep.people.residents.models import Resident

_WITH = (
    "slot__schedule__department",
    "slot__schedule__practitioner",
    "slot__schedule__facility",
    "slot__facility",
    "organization",
)

# So many are shown; a search looks at so many.
SHOWN, SEARCHED = 300, 3_000


def resident_of(*, key: str) -> int | None:
    """The id behind a Patient's key, as far as the actor may see; nothing else of the resident is read."""
    try:
        return Resident.objects.filter(key=uuid.UUID(key)).values_list("id", flat=True).first()
    except ValueError:
        return None


def name_of(*, resident_id: int) -> str:
    """The name of a resident, "" when the actor may not see it."""
    return Resident.objects.filter(id=resident_id).values_list("name", flat=True).first() or ""


def paused_until(*, resident_id: int) -> date | None:
    """Until which day the no-show rule keeps somebody from booking alone; None when nothing stands against it."""
    today = timezone.localdate()
    missed = Booking.objects.filter(
        resident_id=resident_id, state="no-show", slot__starts_at__date__gte=today - precedence.NO_SHOW_WINDOW
    ).values_list("slot__starts_at", flat=True)
    return precedence.paused_until([timezone.localdate(moment) for moment in missed], today)


def missed_count(*, resident_id: int) -> int:
    """How many appointments somebody missed in the window of the no-show rule."""
    return len(missed_days(resident_ids=[resident_id]).get(resident_id, ()))


def missed_days(*, resident_ids: Collection[int]) -> dict[int, list[date]]:
    """The days of the appointments that these people missed in the window of the no-show rule, in one statement."""
    since = timezone.localdate() - precedence.NO_SHOW_WINDOW
    missed = Booking.objects.filter(
        resident_id__in=resident_ids, state="no-show", slot__starts_at__date__gte=since
    ).values_list("resident_id", "slot__starts_at")
    found: dict[int, list[date]] = {}
    for resident_id, starts_at in missed:
        found.setdefault(resident_id, []).append(timezone.localdate(starts_at))
    return found


def coming(*, resident_id: int) -> list[Booking]:
    """The resident's bookings from today on, next first."""
    return list(
        Booking.objects.filter(
            resident_id=resident_id, state__in=EXPECTED, slot__ends_at__gte=timezone.now() - timedelta(hours=12)
        )
        .select_related(*_WITH, "ticket")
        .order_by("period")
    )


def past(*, resident_id: int, limit: int = 10) -> list[Booking]:
    """The resident's last bookings that are over, cancelled or missed, the latest visit first."""
    return list(
        Booking.objects.filter(resident_id=resident_id)
        .exclude(state__in=EXPECTED)
        .select_related(*_WITH)
        .order_by("-slot__starts_at")[:limit]
    )


def rebookings_here(*, organization_id: int) -> list[Rebooking]:
    """What this unit's own stops left to rebook and is open, the soonest visit first; of the residents no more than their id."""
    found = Rebooking.objects.filter(organization_id=organization_id, state="open").select_related(
        "booking__slot__schedule__department",
        "booking__slot__schedule__practitioner",
        "booking__slot__schedule__facility",
        "booking__slot__facility",
        "source_organization",
    )
    return list(found.order_by("booking__slot__starts_at", "id")[:SHOWN])


def rebooking_clocks(tasks: Sequence[Rebooking]) -> dict[int, tuple[datetime | None, datetime | None]]:
    """By when each has to be rebooked and when it warns, the nearest where it was escalated; one query."""
    return worklist.clocks_of(kinds={"rebooking.open"}, item_ids=[task.pk for task in tasks])


def open_rebookings(
    *, resident_ids: Iterable[int] = (), organization_ids: Iterable[int] = (), text: str = ""
) -> list[Rebooking]:
    """What stopped clinics left to rebook, for residents or for the units that had booked, the soonest visit first; `text` means a resident, a
    department or a hospital.
    """
    found = Rebooking.objects.filter(state="open").select_related(
        "booking__slot__schedule__department",
        "booking__slot__schedule__practitioner",
        "booking__slot__schedule__facility",
        "booking__slot__facility",
        "organization",
        "source_organization",
        "resident",
    )
    if resident_ids:
        found = found.filter(resident_id__in=list(resident_ids))
    else:
        found = found.filter(source_organization_id__in=list(organization_ids))
    # Who would have come soonest is told first.
    found = found.order_by("booking__slot__starts_at", "id")
    if not text:
        return list(found[:SHOWN])
    return [
        task
        for task in found[:SEARCHED]
        if text in f"{task.booking.slot.schedule.department.name} {task.organization.name}" or fits(task.resident, text)
    ][:SHOWN]


def rebookings_in(*, slot_ids: Iterable[int]) -> list[Rebooking]:
    """What was left to rebook of these slots and is open, or was answered by a booking that still stands; oldest first."""
    found = Rebooking.objects.filter(booking__slot_id__in=list(slot_ids)).filter(
        Q(state="open") | Q(state="done", new_booking__state="booked")
    )
    with_slot = ("slot__schedule__department", "slot__schedule__practitioner", "slot__organization", "place")
    return list(
        found.select_related(*(f"booking__{name}" for name in with_slot), "new_booking__slot").order_by("created_at")
    )


def booking_by_key(*, key: uuid.UUID) -> Booking | None:
    """A booking by its key, as far as the actor may see it."""
    return _BY_KEY.one(key)


# Eight tables, behind every act on a booking: to plan it takes the database longer than to answer it.
_BY_KEY = Remembered(lambda key: Booking.objects.filter(key=key).select_related(*_WITH).order_by("id")[:1])


def moved_to(old: Booking, *, slot_key: uuid.UUID) -> Booking | None:
    """The booking of this slot to which an earlier one was moved; None when it was not, or not to there."""
    made = Booking.objects.filter(changed_from=old, slot__key=slot_key, state__in=EXPECTED)
    return made.select_related(*_WITH).order_by("id").last()


def answers_one(*, booking_id: int) -> bool:
    """Whether a booking is the new time of something that was called off already."""
    return Rebooking.objects.filter(new_booking_id=booking_id).exists()


def booked_anew() -> list[Booking]:
    """The bookings since a stopped clinic of those who still have a new time to be found, in the same department; each answers one."""
    since = Booking.objects.filter(
        ~Exists(Rebooking.objects.filter(new_booking=OuterRef("pk"))),
        resident_id=OuterRef("resident_id"),
        created_at__gt=OuterRef("created_at"),
        slot__schedule__department_id=OuterRef("booking__slot__schedule__department_id"),
        state__in=(*EXPECTED, "fulfilled"),
    ).order_by("id")
    tasks = Rebooking.objects.filter(state="open").annotate(anew=Subquery(since.values("id")[:1]))
    keys = tasks.filter(anew__isnull=False).order_by("created_at").values_list("anew", flat=True)[:200]
    return list(Booking.objects.filter(id__in=list(keys)).select_related("slot__schedule").order_by("id"))


def get_rebooking(*, key: object, actor: Actor) -> Rebooking:
    """One rebooking as far as the actor may see it; raises NotFound."""
    found = (
        Rebooking.objects.filter(key=as_key(str(key)))
        .select_related(
            "booking__slot__schedule__department",
            "booking__slot__schedule__practitioner",
            "organization",
            "resident",
            "new_booking__slot",
        )
        .first()
    )
    if found is None:
        raise NotFound()
    return found


def who_wait(*, resident_ids: Iterable[int]) -> set[int]:
    """Which of these residents stand on a waiting list, as far as the actor may see."""
    found = WaitingEntry.objects.filter(resident_id__in=list(resident_ids), state__in=WAITING_LIVE)
    return set(found.values_list("resident_id", flat=True))


def waiting_of(*, resident_id: int) -> list[WaitingEntry]:
    """The resident's live places on waiting lists."""
    return list(
        WaitingEntry.objects.filter(resident_id=resident_id, state__in=WAITING_LIVE)
        .select_related(
            "department",
            "schedule__practitioner",
            "organization",
            "offered_slot__schedule__practitioner",
            "offered_slot__schedule__facility",
            "offered_slot__facility",
        )
        .order_by("created_at")
    )


def expected(*, organization_id: int, day: date, schedule_id: int | None = None) -> list[Booking]:
    """Who is expected at a unit on a day, by time; with the queue's tickets of those who came."""
    found = Booking.objects.filter(organization_id=organization_id, slot__starts_at__date=day, state__in=TAKEN)
    if schedule_id is not None:
        found = found.filter(slot__schedule_id=schedule_id)
    return list(
        found.select_related(*_WITH, "resident", "source_organization", "ticket").order_by(
            "slot__starts_at", "place__number"
        )
    )


def meant(bookings: Iterable[Booking], text: str) -> list[Booking]:
    """Those of a day's list whom a text means: the resident, or the number in the queue; all of them without a text."""
    return [
        one
        for one in bookings
        if fits(one.resident, text) or (hasattr(one, "ticket") and str(one.ticket.number) == text.strip())
    ]


def ended_by(*, subject: str) -> Booking | None:
    """The booking of this subject ("booking/<key>"), or the one that was called off and sought anew ("rebooking/<key>"); None for neither."""
    kind, _slash, key = subject.partition("/")
    field = "key" if kind == "booking" else "rebooking__key"
    return Booking.objects.filter(**{field: as_key(key)}).first()


def instead_of(ended: Booking) -> Booking | None:
    """The booking that stands in place of one that ended, however often it was moved on; None when none does."""
    found: Booking | None = ended
    while found is not None and found.state != "booked":
        found = Booking.objects.filter(changed_from=found).select_related(*_WITH).order_by("id").last()
    return found


def is_sought(ended: Booking) -> bool:
    """Whether somebody looks for a new time for a booking that a stopped clinic called off."""
    return Rebooking.objects.filter(booking=ended, state="open").exists()
