"""Critical values: told, taken on by whoever on the line of duty is first, closed with what was done."""

from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.care.diagnosis import queries, states
from doorstep.care.diagnosis.models import CriticalValue, EcgOrder
from doorstep.care.diagnosis.permissions import Permission
from doorstep.care.diagnosis.report import CRITICAL_BY_CODE
from doorstep.coordination.notices import actions as notices
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound, Refused
from doorstep.kernel.web.push import push
from doorstep.kernel.workflow import actions as workflow

_NOTE_NEEDED = frozenset({CriticalValue.Action.TREATED, CriticalValue.Action.NOT_REACHED})


def raise_critical(*, order: EcgOrder, actor: Actor) -> CriticalValue:
    """Tell the unit that ordered: page, sound, and a clock of five minutes. Part of signing, never alone."""
    value = CRITICAL_BY_CODE[order.critical_code]
    critical = CriticalValue(
        order=order,
        order_key=order.key,
        resident=order.resident,
        source=order.source,
        center=order.center,
        consortium_id=order.consortium_id,
        code=value.code,
        text_zh=value.zh,
        text_en=value.en,
        conclusion_text=order.conclusion_text,
        told_user_id=order.ordered_by_user_id,
    )
    workflow.begin(critical, "raise", actor=actor, details={"code": value.code, "order": order.subject})
    notices.tell(
        kind="critical-value",
        organization_id=order.source_id,
        about=order.resident_id,
        link=critical.subject,
        acknowledge_link=reverse("diagnosis:critical", args=[critical.key]),
        urgent=True,
        actor=actor,
    )
    return critical


def withdraw_critical(*, order: EcgOrder, reason: str, actor: Actor) -> None:
    """Take back the open critical value of an amended report; one that is closed stays as it was."""
    critical = queries.open_critical_of(order=order)
    if critical is not None:
        workflow.apply(critical, "withdraw", actor=actor, reason=reason)
        push(to=[f"organization:{critical.source_id}"], kind="critical-changed", reference=str(critical.key))


@transaction.atomic
def acknowledge(*, critical: CriticalValue, actor: Actor) -> CriticalValue:
    """Take a critical value on: the ordering unit, or whoever on the line of duty it has come to.

    Raises NotFound for a unit that it has not come to, TransitionRefused, naming the colleague, when somebody was first.
    """
    locked = _take(critical, actor, states.TOLD)
    taken = workflow.apply(
        locked,
        "acknowledge",
        actor=actor,
        values={
            "acknowledged_at": timezone.now(),
            "acknowledged_by_id": actor.user_id,
            "acknowledged_by_name": f"{actor.organization_name} {actor.display_name}".strip()[:80],
        },
    )
    _tell(taken)
    return taken


@transaction.atomic
def close_critical(*, critical: CriticalValue, action: str, note: str, actor: Actor) -> CriticalValue:
    """Write down what was done for the patient; treating on the spot and not reaching the patient need a word of how."""
    note = note.strip()
    if action not in CriticalValue.Action.values:
        raise Refused(_("请选择处置方式。"), fields={"action": _("请从列表中选择一项处置方式。")})
    if action in _NOTE_NEEDED and len(note) < 4:
        raise Refused(_("请写明处置情况。"), fields={"note": _("请用一两句话写明做了什么、联系了谁。")})
    locked = _take(critical, actor, states.ACKNOWLEDGED)
    closed = workflow.apply(
        locked,
        "close",
        actor=actor,
        values={"action": action, "action_note": note[:400], "closed_at": timezone.now()},
        details={"action": action},
    )
    _tell(closed)
    return closed


@transaction.atomic
def close_by_referral(*, order_key: str, number: str, actor: Actor) -> CriticalValue | None:
    """A sent referral is what was done about the critical value it grew from: register it, so that nobody is called for it again.

    One that nobody has taken on yet stays open: that the news was received is for a person to say. None when nothing was open.
    """
    locked = (
        CriticalValue.objects.select_for_update(of=("self",))
        .filter(order__key=order_key, state=states.ACKNOWLEDGED)
        .first()
    )
    if locked is None:
        return None
    values = {
        "action": CriticalValue.Action.REFERRED,
        # The register is kept in the language of the record, whoever's act brought it here.
        "action_note": f"已提交转诊单 {number}"[:400],
        "closed_at": timezone.now(),
    }
    closed = workflow.apply(locked, "refer", actor=actor, values=values, details={"referral": number})
    _tell(closed)
    return closed


def _take(critical: CriticalValue, actor: Actor, state: str) -> CriticalValue:
    """Lock the value and make the actor's unit its holder when it lies in that unit's list of work."""
    actor.check(Permission.CRITICAL_ACKNOWLEDGE)
    locked = CriticalValue.objects.select_for_update(of=("self",)).filter(pk=critical.pk).first()
    if locked is None:
        raise NotFound()
    if locked.state != state:
        # Somebody was first: `apply` answers with who it was.
        return locked
    holder = queries.holder_for(critical=locked, actor=actor)
    if holder is None:
        raise NotFound()
    CriticalValue.objects.filter(pk=locked.pk).update(holder_id=holder)
    locked.holder_id = holder
    return locked


def _tell(critical: CriticalValue) -> None:
    topics = [f"organization:{critical.source_id}", f"organization:{critical.center_id}"]
    if critical.holder_id and critical.holder_id not in (critical.source_id, critical.center_id):
        topics.append(f"organization:{critical.holder_id}")
    push(to=topics, kind="critical-changed", reference=str(critical.key))
