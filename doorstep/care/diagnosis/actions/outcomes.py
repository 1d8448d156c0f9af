"""How a case ended comes back to those who read and ordered the ECG."""

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from doorstep.care.diagnosis.events import EcgOutcomeLearned
from doorstep.care.diagnosis.models import EcgOrder
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.events import actions as events
from doorstep.kernel.web.push import push


@transaction.atomic
def note_outcome(*, order_key: str, outcome: str, actor: Actor) -> EcgOrder | None:
    """Write how the case ended beside the report and tell reader and village; None when there is no such order."""
    order = EcgOrder.objects.select_for_update(of=("self",)).filter(key=order_key).first()
    if order is None or not outcome.strip():
        return None
    if order.outcome_zh == outcome.strip()[:400]:
        return order
    order.outcome_zh, order.outcome_at = outcome.strip()[:400], timezone.now()
    EcgOrder.objects.filter(pk=order.pk).update(
        outcome_zh=order.outcome_zh, outcome_at=order.outcome_at, outcome_seen_at=None
    )
    events.publish(
        EcgOutcomeLearned(
            subject=order.subject,
            subject_id=order.pk,
            resident_id=order.resident_id,
            organization_id=order.center_id,
            consortium_id=order.consortium_id,
            details={"outcome": order.outcome_zh},
        )
    )
    audit.record(action="ecg-order.outcome", actor=actor, subject=order.subject, resident_id=order.resident_id)
    users = {order.signed_by_user_id, order.ordered_by_user_id} - {None}
    push(to=[f"user:{user}" for user in users], kind="ecg-outcome", reference=str(order.key))
    return order


def see_outcomes(*, orders: Iterable[EcgOrder], actor: Actor) -> int:
    """Mark outcomes as seen by the reader who signed; returns how many were new."""
    mine = [order.pk for order in orders if order.signed_by_user_id == actor.user_id and order.outcome_at]
    return EcgOrder.objects.filter(pk__in=mine, outcome_seen_at__isnull=True).update(outcome_seen_at=timezone.now())
