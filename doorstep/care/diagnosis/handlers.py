"""Reactions to what happened elsewhere."""

from doorstep.care.diagnosis import actions
from doorstep.care.diagnosis.models import EcgOrder
from doorstep.coordination.notices.texts import Text
from doorstep.coordination.visits.models import Visit
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.events.event import Event

TEXTS: dict[str, Text] = {
    "ecg-visit-voided": Text(
        "这份心电图所属的就诊已作废，可能登记错了居民，请与申请单位核对后退回或修订",
        "The visit of this ECG was voided: it may be another person's. Ask the unit that ordered it, then return or amend",
        "critical",
    ),
}


def note_outcome(event: Event) -> None:
    """Take down how a case ended, told by an event whose details carry origin="ecg-order/<key>" and outcome="…"."""
    machine, _, key = str(event.details.get("origin", "")).partition("/")
    outcome = str(event.details.get("outcome", ""))
    if machine == EcgOrder.machine.name and key and outcome:
        actions.note_outcome(order_key=key, outcome=outcome, actor=system_actor(Purpose.HANDLER))


def close_by_referral(event: Event) -> None:
    """Register the referral that was sent because of a critical value, told by details with origin="ecg-order/<key>"."""
    machine, _, key = str(event.details.get("origin", "")).partition("/")
    if machine == EcgOrder.machine.name and key:
        number = str(event.details.get("number", ""))
        actions.close_by_referral(order_key=key, number=number, actor=system_actor(Purpose.HANDLER))


def end_for_death(event: Event) -> None:
    """Take back the orders of a resident who has died that no recording was sent for."""
    if event.resident_id is not None:
        actor = system_actor(Purpose.HANDLER, consortium_id=event.consortium_id)
        actions.end_for_death(resident_id=event.resident_id, actor=actor)


def end_for_voided_visit(event: Event) -> None:
    """Take back the orders of a visit that was opened by mistake, for the wrong resident perhaps."""
    machine, _slash, key = event.subject.partition("/")
    if machine == Visit.machine.name and event.resident_id is not None:
        actor = system_actor(Purpose.HANDLER, consortium_id=event.consortium_id)
        actions.end_for_voided_visit(visit_key=key, resident_id=event.resident_id, actor=actor)
