"""The reader's work before the signature: taking a case, keeping it, writing, giving it back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from doorstep.care.diagnosis import states
from doorstep.care.diagnosis.events import EcgPreread
from doorstep.care.diagnosis.models import EcgOrder
from doorstep.care.diagnosis.permissions import Permission
from doorstep.care.diagnosis.report import Report, content_of, shape_problems
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Conflict, Refused
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.events import actions as events
from doorstep.kernel.web.push import push
from doorstep.kernel.workflow import actions as workflow
from doorstep.kernel.worklist import actions as worklist

_NO_LEASE: dict[str, Any] = {"reader_user_id": None, "reader_id": None, "lease_until": None}
_MOST_URGENT = 3


def claim(*, order: EcgOrder, actor: Actor) -> EcgOrder:
    """Take a case for three minutes, renewed while the reader works; claiming one's own case again renews it.

    Raises TransitionRefused, naming the colleague, when another reader was first: row lock and state change are one.
    """
    with workflow.in_transaction():
        locked = workflow.lock(order)
        if locked.state == states.READING and locked.reader_user_id == actor.user_id:
            return renew_lease(order=locked, actor=actor)
        now = timezone.now()
        values = {
            "reader_user_id": actor.user_id,
            "reader_id": actor.practitioner_id,
            "claimed_at": now,
            "lease_until": now + states.LEASE,
        }
        _tell_queue(locked)
        return workflow.apply(locked, "claim", actor=actor, values=values, due_at=_due(locked))


@transaction.atomic
def renew_lease(*, order: EcgOrder, actor: Actor) -> EcgOrder:
    """Keep a case for three minutes more; raises Conflict when it is no longer this reader's."""
    locked = lock_own(order, actor)
    locked.lease_until = timezone.now() + states.LEASE
    EcgOrder.objects.filter(pk=locked.pk).update(lease_until=locked.lease_until)
    return locked


@transaction.atomic
def save_draft(*, order: EcgOrder, report: Report, actor: Actor) -> EcgOrder:
    """Keep what the reader has written so far and renew the lease; raises Refused for figures out of bounds."""
    actor.check(Permission.ECG_READ)
    locked = lock_own(order, actor)
    problems = shape_problems(report)
    if problems:
        raise Refused(_("草稿没有保存，请更正标出的内容。"), fields=problems)
    now = timezone.now()
    values = {
        **content_of(report),
        "drafted_by": actor.display_name[:40],
        "drafted_at": now,
        "lease_until": now + states.LEASE,
    }
    EcgOrder.objects.filter(pk=locked.pk).update(**values)
    for name, value in values.items():
        setattr(locked, name, value)
    audit.record(action="ecg-order.draft", actor=actor, subject=locked.subject, resident_id=locked.resident_id)
    return locked


def release(*, order: EcgOrder, actor: Actor) -> EcgOrder:
    """Give a case back to the queue; the draft stays for the next reader, the clock runs on."""
    with workflow.in_transaction():
        locked = lock_own(order, actor)
        _tell_queue(locked)
        return workflow.apply(locked, "release", actor=actor, values=_NO_LEASE, due_at=_due(locked))


@transaction.atomic
def return_recording(*, order: EcgOrder, reason: str, actor: Actor) -> EcgOrder:
    """Send a recording back that cannot be read, with the reason; the village takes it again."""
    locked = lock_own(order, actor)
    returned = workflow.apply(locked, "return", actor=actor, reason=reason, values=_NO_LEASE)
    push(to=_source_topics(returned), kind="ecg-returned", reference=str(returned.key))
    _tell_queue(returned)
    return returned


@transaction.atomic
def release_stale(*, actor: Actor, now: datetime | None = None) -> int:
    """Put the cases of readers who went silent back into the queue; returns how many. A system act of the clocks."""
    stale = EcgOrder.objects.select_for_update(skip_locked=True, of=("self",)).filter(
        state=states.READING, lease_until__lt=now or timezone.now()
    )
    count = 0
    for order in stale.order_by("lease_until")[:100]:
        reader = order.reader_user_id
        lapsed = workflow.apply(order, "lapse", actor=actor, values=_NO_LEASE, due_at=_due(order))
        _tell_queue(lapsed)
        push(to=[f"user:{reader}"], kind="ecg-lapsed", reference=str(lapsed.key))
        count += 1
    return count


@transaction.atomic
def note_preread(*, order: EcgOrder, preread: Mapping[str, Any], urgency: int, actor: Actor) -> EcgOrder:
    """Write what the machine measured and suspects, and give the case its place: 0 ordinary to 3 life at stake. It never signs."""
    locked = workflow.lock(order)
    locked.preread = dict(preread)
    locked.preread_at = timezone.now()
    locked.queue_urgency = max(locked.queue_urgency, min(urgency, _MOST_URGENT))
    EcgOrder.objects.filter(pk=locked.pk).update(
        preread=locked.preread, preread_at=locked.preread_at, queue_urgency=locked.queue_urgency
    )
    worklist.set_urgency(machine=locked.machine.name, item_id=locked.pk, urgency=locked.queue_urgency)
    facts = {"urgency": locked.queue_urgency, "usable": bool(preread.get("usable"))}
    events.publish(
        EcgPreread(
            subject=locked.subject,
            subject_id=locked.pk,
            resident_id=locked.resident_id,
            organization_id=locked.center_id,
            consortium_id=locked.consortium_id,
            details=facts,
        )
    )
    audit.record(
        action="ecg-order.preread", actor=actor, subject=locked.subject, resident_id=locked.resident_id, details=facts
    )
    _tell_queue(locked)
    return locked


def lock_own(order: EcgOrder, actor: Actor) -> EcgOrder:
    """The order, locked, when this reader holds it; raises Conflict with who has it otherwise."""
    locked = workflow.lock(order)
    if locked.state == states.READING and locked.reader_user_id == actor.user_id:
        return locked
    if locked.state == states.READING:
        holder = locked.reader.name if locked.reader else ""
        raise Conflict(
            _("您离开过久，这份心电图已由 %(name)s 医师领取。请回到队列领取下一份。") % {"name": holder},
            code="lease-lost",
        )
    raise Conflict(
        _("这份心电图已不在您手上，现在的状态是“%(state)s”。请回到队列重新领取；已写的草稿仍然保留。")
        % {"state": _state_words(locked)},
        code="lease-lost",
    )


def _state_words(order: EcgOrder) -> str:
    state = order.machine.state(order.state)
    return state.en if (get_language() or "").startswith("en") else state.zh


def _due(order: EcgOrder) -> datetime | None:
    return order.arrived_at + states.REPORT_WITHIN if order.arrived_at else None


def _tell_queue(order: EcgOrder) -> None:
    push(to=[f"organization:{order.center_id}"], kind="ecg-queue", reference=str(order.key))


def _source_topics(order: EcgOrder) -> list[str]:
    topics = [f"organization:{order.source_id}"]
    return [*topics, f"user:{order.ordered_by_user_id}"] if order.ordered_by_user_id else topics
