"""The queue of a clinic's day: calling the next, passing over, seeing; and adding a place over the template."""

import uuid
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.coordination.scheduling import actions, attending_actions, queries, queue_queries
from doorstep.coordination.scheduling.models import Booking, Place, Slot, Ticket
from doorstep.coordination.scheduling.outcomes import Wish
from doorstep.coordination.scheduling.permissions import Permission
from doorstep.coordination.scheduling.rules import PASSED_BEHIND, Quota
from doorstep.coordination.scheduling.taking import Ask
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Conflict, NotFound, Refused
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.web.push import push

# More than so many places over the template in one slot are refused; platform default.
LARGEST_EXTRA = 5


@transaction.atomic
def call_next(*, schedule_key: uuid.UUID | str, place_name: str, actor: Actor) -> Ticket | None:
    """Call the next ticket of a schedule's day; two rooms that call at once get two people. None when nobody waits."""
    schedule = _queue(schedule_key, actor)
    day = timezone.localdate()
    ticket = queue_queries.next_ticket(schedule_id=schedule, day=day)
    if ticket is None:
        return None
    lined_up = Ticket.objects.filter(schedule_id=schedule, day=day, state="waiting", turn_in__gt=0)
    lined_up.exclude(pk=ticket.pk).update(turn_in=F("turn_in") - 1)
    return _call(ticket, place_name, actor)


@transaction.atomic
def call_again(*, ticket_key: uuid.UUID | str, actor: Actor) -> Ticket:
    """Call somebody again who did not come in, or who was passed over."""
    ticket = _ticket(ticket_key, actor)
    if ticket.state in ("done", "void"):
        raise Conflict(_("该号已就诊，不能再叫。") if ticket.state == "done" else _("该号已作废，请先重新报到。"))
    return _call(ticket, ticket.place_name, actor)


@transaction.atomic
def pass_over(*, ticket_key: uuid.UUID | str, actor: Actor) -> Ticket:
    """Nobody came in: all others go before, unless the person lines up again (`line_up`)."""
    ticket = _ticket(ticket_key, actor)
    if ticket.state != "called":
        raise Conflict(_("只有已叫的号可以过号。"))
    return _move(ticket, Ticket.State.PASSED, actor)


@transaction.atomic
def line_up(*, ticket_key: uuid.UUID | str, actor: Actor) -> Ticket:
    """Whoever was passed over is back: called after the next three who wait (过号重排). At the desk, or at a machine for whoever stands there."""
    if not actor.may(Permission.KIOSK_SERVE):
        actor.check(Permission.QUEUE_CALL)
    ticket = queue_queries.lock_ticket(key=ticket_key, actor=actor)
    if ticket.state != "passed":
        raise Conflict(_("只有过号的号可以重新排队。"))
    Ticket.objects.filter(pk=ticket.pk).update(state=Ticket.State.WAITING, turn_in=PASSED_BEHIND)
    ticket.refresh_from_db()
    _tell(ticket, "ticket.line-up", actor)
    return ticket


@transaction.atomic
def see(*, ticket_key: uuid.UUID | str, actor: Actor) -> Ticket:
    """The person was seen: ticket and booking are done."""
    ticket = _ticket(ticket_key, actor)
    if ticket.state == "done":
        return ticket
    if ticket.state in ("waiting", "void"):
        raise Conflict(_("请先叫号。") if ticket.state == "waiting" else _("该号已作废，请先重新报到。"))
    # With the booking the ticket is done, by whichever way.
    actions.fulfil(booking_key=ticket.booking.key, actor=actor)
    ticket.state = Ticket.State.DONE
    audit.record(action="ticket.done", actor=actor, subject=f"ticket/{ticket.key}", resident_id=ticket.resident_id)
    return ticket


@transaction.atomic
def leave(*, ticket_key: uuid.UUID | str, actor: Actor) -> Ticket:
    """Nobody answered any more: the person left unseen, and the number is called no more."""
    ticket = _ticket(ticket_key, actor)
    attending_actions.leave(booking_key=ticket.booking.key, reason=_("叫号不应"), actor=actor)
    ticket.refresh_from_db()
    return ticket


@transaction.atomic
def overbook(*, slot_key: uuid.UUID | str, resident_id: int, reason: str, actor: Actor, again: bool = False) -> Booking:
    """Add a place over the template for one person and book it, with a reason that stays in the trail.

    `again`: a second visit to the department in this half day is meant. Raises Refused without a reason, when the slot is over or
    stopped, or has five added places already, Conflict when the person is booked there that half day and `again` is not said.
    """
    actor.check(Permission.SLOT_OVERBOOK)
    reason = reason.strip()[:200]
    if len(reason) < 4:
        raise Refused(_("请填写加号原因。"), fields={"reason": _("请用不少于 4 个字写明为什么要加号。")})
    slot = Slot.objects.select_for_update(of=("self",)).filter(key=queries.as_key(slot_key)).first()
    if slot is None or not actor.reaches(slot.organization_id):
        raise NotFound()
    if slot.stopped_at is not None or slot.ends_at <= timezone.now():
        raise Refused(_("该时段已结束或已停诊，不能加号。"), fields={"slot": _("请选择其他时段。")})
    places = list(Place.objects.filter(slot=slot).values_list("number", "is_extra", "state"))
    if sum(extra and state != "closed" for _number, extra, state in places) >= LARGEST_EXTRA:
        raise Refused(_("该时段已加满 5 个号。"), fields={"slot": _("请选择其他时段。")})
    key = uuid.uuid4()
    Place.objects.create(
        slot=slot,
        number=max((number for number, _extra, _state in places), default=0) + 1,
        quota=Quota.OWN,
        given_quota=Quota.OWN,
        is_extra=True,
        state=Place.State.HELD,
        hold_key=key,
        held_until=timezone.now() + timedelta(minutes=1),
        held_by_id=actor.user_id,
        held_organization_id=actor.organization_id,
    )
    ask = Ask(actor=actor, now=timezone.now(), hold=key, resident_id=resident_id)
    wish = Wish(extra_reason=reason, again=again)
    return actions.in_turn(lambda: actions.take_and_insert(ask, wish=wish, verb="overbook"), ask=ask, wish=wish)


def _call(ticket: Ticket, place_name: str, actor: Actor) -> Ticket:
    Ticket.objects.filter(pk=ticket.pk).update(
        state=Ticket.State.CALLED,
        called_at=timezone.now(),
        calls=F("calls") + 1,
        place_name=place_name.strip()[:40] or ticket.place_name,
        turn_in=None,
    )
    ticket.refresh_from_db()
    _tell(ticket, "ticket.call", actor)
    return ticket


def _move(ticket: Ticket, state: Ticket.State, actor: Actor) -> Ticket:
    Ticket.objects.filter(pk=ticket.pk).update(state=state)
    ticket.state = state
    _tell(ticket, f"ticket.{state.value}", actor)
    return ticket


def _tell(ticket: Ticket, act: str, actor: Actor) -> None:
    audit.record(action=act, actor=actor, subject=f"ticket/{ticket.key}", resident_id=ticket.resident_id)
    push(to=[f"organization:{ticket.organization_id}"], kind="queue", reference=f"schedule/{ticket.schedule_id}")


def _queue(schedule_key: uuid.UUID | str, actor: Actor) -> int:
    actor.check(Permission.QUEUE_CALL)
    return queries.get_schedule(schedule_key=schedule_key, actor=actor).pk


def _ticket(key: uuid.UUID | str, actor: Actor) -> Ticket:
    actor.check(Permission.QUEUE_CALL)
    return queue_queries.lock_ticket(key=key, actor=actor)
