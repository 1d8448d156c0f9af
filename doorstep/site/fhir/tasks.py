"""Task of a referral: a hospital that is not on Doorstep answers by its status (hl7.org/fhir/R4/task.html)."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from doorstep.care.referrals import actions, queries
from doorstep.care.referrals.fhir import BACK_REASON, DECLINE_REASON, RETURN_REASON
from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.permissions import Permission
from doorstep.care.referrals.states import AT_RECEIVER
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Conflict, Refused


class TaskDoor:
    """Tasks that show a referral; every other Task is taken as the hospital sends it."""

    def owns(self, resource: dict[str, Any]) -> bool:
        """None is made here: the house opens the Task with its referral."""
        return False

    def create(self, resource: dict[str, Any], *, actor: Actor) -> str:
        """Never called: `owns` gives nothing away."""
        raise Refused(_("转诊任务随转诊单产生，不能单独新建。"))

    def update(self, fhir_id: str, resource: dict[str, Any], *, actor: Actor) -> None:
        """Accepted, rejected (with a coded reason), on-hold (returned), in-progress (arrived), completed by advice in `note`."""
        referral = queries.get(key=fhir_id, actor=actor)
        # A patient who comes home is answered for by the unit that takes over.
        back = referral.state in AT_RECEIVER and actor.reaches(referral.receiver_id)
        more = {Permission.REFERRAL_RECEIVE_BACK, Permission.FOLLOW_UP_DO} if back else {Permission.REFERRAL_ACCEPT}
        allowed = actor.with_permissions({*actor.permissions, *more})
        act = (_BACK if back else _ANSWERS).get(str(resource.get("status")))
        if act is None:
            raise Conflict(
                _("转诊单当前为%(state)s，不能经接口改为 %(wanted)s。")
                % {"state": referral.machine.state(referral.state).zh, "wanted": resource.get("status")}
            )
        act(referral, resource, allowed)

    def withdraw(self, fhir_id: str, *, actor: Actor) -> None:
        """A Task of a referral is not erased; the sender withdraws the ServiceRequest."""
        raise Refused(_("转诊任务不能删除，请撤回转诊单。"))


def _accept(referral: Referral, resource: dict[str, Any], actor: Actor) -> None:
    start = (resource.get("executionPeriod") or {}).get("start")
    try:
        expected = datetime.fromisoformat(str(start).replace("Z", "+00:00")) if start else None
    except ValueError as error:
        raise Refused(
            _("到院时间无法识别。"), fields={"executionPeriod": _("executionPeriod.start 应为带时区的时间。")}
        ) from error
    slot = next(iter(_outputs(resource, "slot")), "")
    if slot:
        key = slot.rpartition("/")[2]
        actions.accept_with_place(referral=referral, slot_key=key, actor=actor, instructions=_note(resource))
        return
    actions.accept(referral=referral, actor=actor, instructions=_note(resource), expected_at=expected)


def _reject(referral: Referral, resource: dict[str, Any], actor: Actor) -> None:
    note, code = _note(resource), _code(resource, DECLINE_REASON) or "other"
    elsewhere = "；".join(_outputs(resource, "alternative")) or note
    actions.decline(referral=referral, code=code, reason=note, alternative=elsewhere, actor=actor)


def _return(referral: Referral, resource: dict[str, Any], actor: Actor) -> None:
    code = _code(resource, RETURN_REASON) or "other"
    actions.return_for_information(referral=referral, code=code, reason=_note(resource), actor=actor)


def _arrive(referral: Referral, resource: dict[str, Any], actor: Actor) -> None:
    actions.check_in(referral=referral, method=Referral.Arrival.NATIONAL_ID, actor=actor)


def _advise(referral: Referral, resource: dict[str, Any], actor: Actor) -> None:
    actions.advise(referral=referral, advice=_note(resource), actor=actor)


_ANSWERS: dict[str, Callable[[Referral, dict[str, Any], Actor], None]] = {
    "accepted": _accept,
    "rejected": _reject,
    "on-hold": _return,
    "in-progress": _arrive,
    "completed": _advise,
}


def _receive_back(referral: Referral, resource: dict[str, Any], actor: Actor) -> None:
    actions.receive_back(referral=referral, actor=actor)


def _decline_back(referral: Referral, resource: dict[str, Any], actor: Actor) -> None:
    code = _code(resource, BACK_REASON) or "other"
    actions.decline_back(referral=referral, code=code, reason=_note(resource), actor=actor)


def _close(referral: Referral, resource: dict[str, Any], actor: Actor) -> None:
    actions.close(referral=referral, outcome=_note(resource), actor=actor)


_BACK: dict[str, Callable[[Referral, dict[str, Any], Actor], None]] = {
    "accepted": _receive_back,
    "rejected": _decline_back,
    "completed": _close,
}


def _note(resource: dict[str, Any]) -> str:
    return " ".join(str(one["text"]) for one in resource.get("note", []) if "text" in one)


def _outputs(resource: dict[str, Any], code: str) -> list[str]:
    """What the answer holds of a kind: words, or what a reference names."""
    found = []
    for one in resource.get("output", []):
        if code not in [coding.get("code") for coding in one.get("type", {}).get("coding", [])]:
            continue
        reference = one.get("valueReference", {})
        text = one.get("valueString") or reference.get("display") or ""
        found.append(str(reference.get("reference", "")) if code == "slot" else str(text))
    return [text for text in found if text]


def _code(resource: dict[str, Any], system: str) -> str:
    codings = (resource.get("statusReason") or {}).get("coding", [])
    return next((str(one["code"]) for one in codings if one.get("system") == system and "code" in one), "")
