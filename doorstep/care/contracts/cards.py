"""What a contract says while a doctor elsewhere looks at the patient: the benefits of today, each with its reason."""

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from doorstep.care.contracts import queries
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.hooks.registry import Asked, Card


def benefits_card(asked: Asked, actor: Actor) -> list[Card]:
    """One card with the benefits that apply today; none for somebody without a contract or out of the caller's sight."""
    line = queries.contract_line(asked.resident_id)
    if not line:
        return []
    try:
        decisions = queries.benefits_of(asked.resident_id, False, timezone.localdate())
    except NotFound:
        return []
    english = (get_language() or "").startswith("en")
    granted = [one for one in decisions if one.granted]
    names = "、".join(one.en if english else one.zh for one in granted)
    lines = tuple(
        (
            one.en if english else one.zh,
            (one.reason_en if english else one.reason_zh) + ("" if one.verified else f"（{_('口径待核')}）"),
        )
        for one in granted
    )
    summary = _("签约居民（%(line)s）") % {"line": line}
    return [
        Card(
            summary=f"{summary}：{names}" if names else summary,
            lines=lines,
            indicator="info",
            source=_("家庭医生签约"),
            links=_link(asked),
        )
    ]


def _link(asked: Asked) -> tuple[tuple[str, str], ...]:
    """The contract on the resident's record, for whoever signs in here and may see it; what the other system showed ends there."""
    contract = queries.active_contract(resident_id=asked.resident_id)
    if contract is None:
        return ()
    return ((_("查看签约与权益"), reverse("residents:entry", args=[asked.patient_id, "Contract", contract.key])),)
