"""Laying out anew what a changed kind of visit finds laid out already: free times take the new length, who is booked keeps theirs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from django.db import transaction
from django.db.models import Count, Exists, OuterRef
from django.utils import timezone

from doorstep.coordination.scheduling import clinic_queries, days, laying_actions, rooms_actions
from doorstep.coordination.scheduling.fhir import slot_resource
from doorstep.coordination.scheduling.models import Booking, Place, Schedule, Slot, WaitingEntry
from doorstep.coordination.scheduling.rules import CHINA
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.record import actions as record
from doorstep.kernel.record.publishing import Row


@dataclass(frozen=True, slots=True)
class RelaidDay:
    """A day of a change: how many free times went, how many stay because somebody has them, and how many came, with their places."""

    day: date
    gone: int
    kept: int
    made: int
    places_before: int
    places_after: int


@dataclass(frozen=True, slots=True)
class KindChange:
    """What came of another kind of visit: how many sessions have it, and what was laid out anew, a line per day."""

    sessions: int
    days: tuple[RelaidDay, ...]


@transaction.atomic
def change_kind(
    *, schedule: Schedule, kind_id: int, since: date, session_id: int | None, relay: bool, actor: Actor
) -> KindChange:
    """Change the kind as `rooms_actions.change_kind` does and, with `relay`, lay out anew what stands free from that day on.

    A time that somebody has booked, keeps or was offered stays as it is, and so does one that is stopped; new times that would meet it
    are left out. Only times that came from the changed sessions are touched.
    """
    before = clinic_queries.template_of(schedule) if relay else None
    count = rooms_actions.change_kind(
        schedule=schedule, kind_id=kind_id, since=since, session_id=session_id, actor=actor
    )
    if before is None:
        return KindChange(count, ())
    relaid = _relay(schedule, before, session_id, since, actor)
    audit.record(
        action="schedule.relay",
        actor=actor,
        subject=f"schedule/{schedule.key}",
        details={"since": since.isoformat(), "days": [one.day.isoformat() for one in relaid]},
    )
    return KindChange(count, tuple(relaid))


def preview_kind(*, schedule: Schedule, kind_id: int, since: date, session_id: int | None, actor: Actor) -> KindChange:
    """What `change_kind` would come to: it is done and taken back, so the preview cannot differ from the act."""
    with transaction.atomic():
        found = change_kind(
            schedule=schedule, kind_id=kind_id, since=since, session_id=session_id, relay=True, actor=actor
        )
        transaction.set_rollback(True)
    return found


def _relay(
    schedule: Schedule, before: days.Template, session_id: int | None, since: date, actor: Actor
) -> list[RelaidDay]:
    changed = {
        one.id
        for one in before.sessions
        if one.only_on is None and (one.until is None or one.until > since) and session_id in (None, one.id)
    }
    laid = _laid_out(schedule, before, changed, since)
    if not laid:
        return []
    slots = [slot for found in laid.values() for slot in found]
    busy = _lock(slots)
    gone = [slot for slot in slots if slot.pk not in busy]
    opens_at = max((slot.opens_at for slot in gone), default=timezone.now())
    had = _places([slot.pk for slot in slots])
    _take_away(gone, actor)
    unchanged = frozenset(one.id for one in before.sessions) - changed
    made = laying_actions.lay_out_days(schedule, list(laid), actor, opens_at=opens_at, without=unchanged)
    return [_line(day, found, busy, had, made.get(day, [])) for day, found in sorted(laid.items())]


def _laid_out(schedule: Schedule, before: days.Template, changed: set[int], since: date) -> dict[date, list[Slot]]:
    """The times of the changed sessions that were laid out and run, by their days from then on."""
    begins = max(timezone.now(), datetime.combine(since, time(), tzinfo=CHINA))
    coming = Slot.objects.filter(schedule=schedule, starts_at__gte=begins, stopped_at__isnull=True)
    by_day: dict[date, list[Slot]] = {}
    for slot in coming.select_related("schedule__department").order_by("starts_at"):
        by_day.setdefault(slot.starts_at.astimezone(CHINA).date(), []).append(slot)
    found = {}
    for day, slots in by_day.items():
        sessions = [one for one in days.plan_of(before, day).sessions if one.id in changed]
        times = {span for one in sessions for span in days.slots_of(one, day)}
        if own := [slot for slot in slots if (slot.starts_at, slot.ends_at) in times]:
            found[day] = own
    return found


def _lock(slots: Sequence[Slot]) -> set[int]:
    """Keep everybody from claiming a place of these slots until this is done; returns the slots that somebody has something of."""
    ids, now = [slot.pk for slot in slots], timezone.now()
    places = Place.objects.select_for_update().filter(slot_id__in=ids).order_by("id")
    held = {
        place.slot_id
        for place in places
        if place.state != "free" and not (place.state == "held" and place.held_until and place.held_until <= now)
    }
    # A booking that was given back and an offer that was passed by keep pointing at their slot.
    named = Slot.objects.filter(
        Exists(Booking.objects.filter(slot_id=OuterRef("pk")))
        | Exists(WaitingEntry.objects.filter(offered_slot_id=OuterRef("pk"))),
        pk__in=ids,
    )
    return held | set(named.values_list("pk", flat=True))


def _take_away(slots: Sequence[Slot], actor: Actor) -> None:
    shown = [
        Row(published=slot_resource(one, free=0), resident_id=None, method="DELETE", deleted=True)
        for one in slots
        if one.shown
    ]
    record.write(shown, actor=actor)
    Slot.objects.filter(pk__in=[one.pk for one in slots]).delete()


def _places(slot_ids: Sequence[int]) -> dict[int, int]:
    counts = Place.objects.filter(slot_id__in=slot_ids).exclude(state="closed").values_list("slot_id")
    return dict(counts.annotate(n=Count("id")))


def _line(day: date, slots: Iterable[Slot], busy: set[int], had: dict[int, int], made: Sequence[int]) -> RelaidDay:
    found = list(slots)
    kept = [slot for slot in found if slot.pk in busy]
    return RelaidDay(
        day=day,
        gone=len(found) - len(kept),
        kept=len(kept),
        made=len(made),
        places_before=sum(had.get(slot.pk, 0) for slot in found),
        places_after=sum(had.get(slot.pk, 0) for slot in kept) + sum(made),
    )
