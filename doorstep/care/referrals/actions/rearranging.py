"""Who cannot come, or did not, comes another day: agreed with the resident, or moved where places are booked."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.care.referrals import states
from doorstep.care.referrals.actions.details import (
    details_of,
    give_place_back,
    keep_place,
    place_kept,
    place_text,
)
from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.permissions import Permission
from doorstep.coordination.beds import actions as beds
from doorstep.coordination.scheduling import keeping
from doorstep.coordination.scheduling.models import Booking
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.access.session import for_purpose
from doorstep.kernel.workflow import actions as workflow

# A day further away than this asks for a new referral: the findings are too old by then; this house's own.
LATEST_DAY = timedelta(days=30)
# A place is kept from its choice to its booking in the same act.
_AT_ONCE = timedelta(minutes=1)
_UNPLACED: dict[str, Any] = {"booking_id": None, "appointment_text": "", "expected_at": None}
# Who does not come now has not set out.
NOT_ON_THE_WAY: dict[str, Any] = {"transport": "", "departed_at": None, "escort": "", "leaving": ""}


@transaction.atomic
def agree_day(
    *,
    referral: Referral,
    actor: Actor,
    reason: str = "",
    expected_at: datetime | None = None,
    slot_key: uuid.UUID | str | None = None,
    by_resident: bool = False,
) -> Referral:
    """A new day is agreed with a patient who cannot come on the first, or did not: the patient is expected then.

    The sender, the office, or the resident on the own phone (`by_resident`), who chooses a place of the clinic; an emergency is not
    put off from there before its time.

    A place of the target's clinics (`slot_key`) is booked in the same act and says its time itself; the old place is given back. Raises
    Refused without a time, for one that is past or too far away, or for a place of another unit, and what holding raises.
    """
    verb = _verb(referral, actor=actor, by_resident=by_resident)
    workflow.check_way(referral, verb, actor=actor)
    now = timezone.now()
    _check_day(referral, now=now, expected_at=expected_at, slot_key=slot_key, by_resident=by_resident)
    place: dict[str, Any] = {"booking": None, "appointment_text": ""}
    with _arranging(actor, by_resident=by_resident) as arranges:
        if not (by_resident and _begun(referral, now=now)):
            give_place_back(referral, actor=arranges, reason=_("患者改约其他日期"))
        if slot_key:
            place, expected_at = _booked(referral, slot_key, actor=arranges)
    expected = expected_at or now
    until = expected + states.ARRIVAL_GRACE
    # A bed that is kept still waits until the new day; one that fell free meanwhile is looked for anew.
    kept = referral.bed_key if beds.extend(reference=referral.subject, until=until) else None
    return workflow.apply(
        referral,
        verb,
        actor=actor,
        reason=reason,
        values={**place, "expected_at": expected, "bed_key": kept, **NOT_ON_THE_WAY},
        details=details_of(
            referral,
            by=verb.removeprefix("agree_day").strip("_"),
            expected_at=expected.isoformat(),
            place=place["appointment_text"],
        ),
        due_at=until,
    )


def _check_day(
    referral: Referral,
    *,
    now: datetime,
    expected_at: datetime | None,
    slot_key: uuid.UUID | str | None,
    by_resident: bool,
) -> None:
    if by_resident and referral.state == "accepted" and referral.kind != Referral.Kind.ORDINARY:
        raise Refused(_("急诊和绿色通道不能在手机上改约：来不了请马上打电话给您的医生，病情加重请拨打 120。"))
    if not slot_key and not (expected_at and now < expected_at <= now + LATEST_DAY):
        sentence = _("请选择号源，或填写晚于现在、30 天之内的到院时间。")
        raise Refused(_("新的到院时间不对。"), fields={"expected_at": sentence})
    if by_resident and not slot_key:
        raise Refused(_("请选择一个号源。"), fields={"slot": _("请选择一个号源；没有合适的时间，请打电话给您的医生。")})


@transaction.atomic
def follow_place(*, referral: Referral, booking: Booking | None, actor: Actor) -> Referral:
    """The referral goes along with its place, which was moved to `booking` where places are booked, or given up (None).

    An accepted patient without a place waits for another one; before the answer only the form changes, and the office's clock runs on.
    """
    if booking is None and referral.state == "accepted":
        back = {**_UNPLACED, "accepted_at": None, "confirmed_at": None}
        return workflow.apply(referral, "give_place_up", actor=actor, values=back, details=details_of(referral))
    values = _UNPLACED if booking is None else _placed(booking)
    if booking is not None and referral.state in ("accepted", "not_arrived"):
        at = booking.slot.starts_at
        until = max(at, timezone.now()) + states.ARRIVAL_GRACE
        kept = referral.bed_key if beds.extend(reference=referral.subject, until=until) else None
        return workflow.apply(
            referral,
            "move_place",
            actor=actor,
            reason=f"{timezone.localtime(at):%Y-%m-%d %H:%M} {values['appointment_text']}",
            values={**values, "bed_key": kept, **NOT_ON_THE_WAY},
            details=details_of(referral, expected_at=at.isoformat(), place=values["appointment_text"]),
            due_at=until,
        )
    # Who was offered another time is expected then, and who has set out is on the road.
    fixed = {"expected_at"} if referral.state in ("offered", "on_the_way") else set()
    Referral.objects.filter(pk=referral.pk).update(**{name: values[name] for name in values.keys() - fixed})
    return referral


def _placed(booking: Booking) -> dict[str, Any]:
    schedule = booking.slot.schedule
    doctor = schedule.practitioner
    words = [booking.organization.name, schedule.department.name]
    words += [doctor.name, doctor.title] if doctor else []
    return {
        "booking_id": booking.pk,
        "department_id": schedule.department_id,
        "appointment_text": " ".join(filter(None, words))[:160],
        "expected_at": booking.slot.starts_at,
    }


def _begun(referral: Referral, *, now: datetime) -> bool:
    """Whether the visit that was missed has begun: a resident does not undo having missed it."""
    booking = place_kept(referral)
    return booking is not None and booking.slot.starts_at <= now


@contextmanager
def _arranging(actor: Actor, *, by_resident: bool) -> Iterator[Actor]:
    """Who moves the place: residents choose among those kept for referrals, which the house books for them."""
    if not by_resident:
        yield actor
        return
    with for_purpose(Purpose.HANDLER, actor):
        yield system_actor(Purpose.HANDLER, consortium_id=actor.consortium_id)


def _verb(referral: Referral, *, actor: Actor, by_resident: bool) -> str:
    if by_resident:
        return "agree_day_self"
    there = actor.reaches(referral.target_id) and actor.may(Permission.REFERRAL_ACCEPT)
    sends = actor.reaches(referral.source_id) and actor.may(Permission.REFERRAL_SUBMIT)
    return "agree_day_there" if there and not sends else "agree_day"


def _booked(referral: Referral, slot_key: uuid.UUID | str, *, actor: Actor) -> tuple[dict[str, Any], datetime]:
    held = keep_place(referral, slot_key=slot_key, stands=_AT_ONCE, actor=actor)
    booking = keeping.take(hold_key=held.key, resident_id=referral.resident_id, reference=referral.subject, actor=actor)
    slot = held.slot
    place = {"booking": booking, "department_id": slot.department_id, "appointment_text": place_text(slot)}
    return place, slot.starts_at
