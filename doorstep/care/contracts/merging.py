"""Contracts that keep two records of one person from being merged: nobody has two at a time."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import gettext as _

from doorstep.care.contracts.models import Contract
from doorstep.care.contracts.permissions import Permission
from doorstep.care.contracts.presenters import state_label
from doorstep.care.contracts.states import COUNTING, LIVE
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.permissions import Permission as Access
from doorstep.people.identity.obstacles import Held, Obstacle, whom_to_call


def in_the_way(standing_id: int, former_id: int, actor: Actor) -> Sequence[Obstacle]:
    """The contracts of the two that run at the same time, each with its team, its term, and who can end it."""
    rows = list(
        Contract.objects.filter(resident_id__in=(standing_id, former_id), state__in=COUNTING)
        .select_related("resident", "organization", "signing_organization", "team", "doctor")
        .order_by("starts_on", "id")
    )
    rows.sort(key=lambda one: one.resident_id != standing_id)
    clashing = [one for one in rows if any(_clash(one, other) for other in rows)]
    if not clashing:
        return ()
    sentence = _("两份档案都有生效或时间重叠的签约，一人只能签约一次。请先解除其中一份签约。")
    return (Obstacle(sentence, tuple(_held(one, actor) for one in clashing)),)


def _clash(one: Contract, other: Contract) -> bool:
    if one.resident_id == other.resident_id:
        return False
    both_live = one.state in LIVE and other.state in LIVE
    return both_live or (one.starts_on <= other.ends_on and other.starts_on <= one.ends_on)


def _entry(contract: Contract, actor: Actor) -> str:
    """The contract as it stands in the record, for those who read records and keep no contracts."""
    if not actor.may(Access.RECORD_VIEW):
        return ""
    return reverse("residents:entry", args=[contract.resident.key, "Contract", contract.key])


def _held(contract: Contract, actor: Actor) -> Held:
    signed_at = contract.signing_organization
    seen = actor.may(Permission.CONTRACT_VIEW) and (
        actor.reaches(contract.organization_id) or actor.reaches(contract.signing_organization_id)
    )
    ends = seen and actor.may(Permission.CONTRACT_SIGN) and actor.reaches(contract.signing_organization_id)
    what = _("%(team)s · %(since)s 至 %(until)s · %(state)s") % {
        "team": contract.team.name,
        "since": contract.starts_on.isoformat(),
        "until": contract.ends_on.isoformat(),
        "state": state_label(contract),
    }
    return Held(
        resident_id=contract.resident_id,
        what=what,
        unit=signed_at.name,
        page=reverse("contracts:detail", args=[contract.key]) if seen else _entry(contract, actor),
        act=_("办理解约") if ends and contract.state in LIVE else "",
        call=""
        if ends
        else whom_to_call(signed_at.name, signed_at.phone, contract.doctor.name if contract.doctor else ""),
    )
