"""Whom the ward asks: the receiver, those who follow when it cannot or does not answer, another one meanwhile; and what they say."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.care.referrals import case_states, down_aims, down_queries, texts
from doorstep.care.referrals.actions.down import facts_of, refusal_words
from doorstep.care.referrals.actions.sending import under_age
from doorstep.care.referrals.models import DownProposal
from doorstep.care.referrals.record_facts import age_on
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.workflow import actions as workflow

# How many a clock moves in one transaction.
_AT_ONCE = 20


@transaction.atomic
def agree_ward(
    *,
    proposal: DownProposal,
    actor: Actor,
    signer: str,
    relation: str,
    receiver_id: int | None = None,
    following: Sequence[int] = (),
    aim: str = "",
) -> DownProposal:
    """The ward's doctor agrees, with the patient's consent, and the receiver is asked: the proposed one or another.

    `following` are asked in this order when it cannot or does not answer. `aim` is where the patient goes instead of what was proposed:
    the units are weighed anew for it. Raises Refused without consent, for a child that signs alone, for an aim that does not exist, for a unit
    that cannot be asked, and for an account that is nobody's: the plan carries the name of the doctor who signed it.
    """
    workflow.check_way(proposal, "agree_ward", actor=actor)
    if actor.practitioner_id is None:
        raise Refused(_("下转须由病区医师本人签署：当前账号没有登记医师，请用医师本人的账号登录。"))
    problems: dict[str, object] = {}
    if not signer.strip():
        problems["signer"] = _("请填写知情同意签署人。")
    if relation not in texts.RELATIONS:
        problems["relation"] = _("请选择签署人与患者的关系。")
    elif relation == "self" and not texts.signs_alone(age_on(proposal.resident.birth_date, timezone.localdate())):
        problems["relation"] = under_age()
    # What stands on a shelf today counts, not what stood there when the house proposed.
    aimed = _aimed(proposal, aim or proposal.aim)
    usual = (
        proposal.receiver_id if aimed["aim"] == proposal.aim and proposal.receiver_id not in proposal.tried else None
    )
    wanted = receiver_id or usual
    problems |= _choice_problems(aimed["choices"], wanted, following)
    if problems:
        raise Refused(_("还不能询问基层：有 %(count)s 处未完成。") % {"count": len(problems)}, fields=problems)
    plan = {
        **proposal.plan,
        "consent": {"signer": signer.strip(), "relation": relation},
        "doctor": actor.practitioner_id,
    }
    return workflow.apply(
        proposal,
        "agree_ward",
        actor=actor,
        values={**aimed, **_asked(wanted, following), "plan": plan},
        details={**facts_of(proposal), "receiver": wanted, "aim": aim or proposal.aim},
    )


@transaction.atomic
def ask_other(*, proposal: DownProposal, receiver_id: int, actor: Actor, following: Sequence[int] = ()) -> DownProposal:
    """The ward does not wait for an answer any longer: another unit is asked instead, and who follows is chosen anew.

    The consent and the aim stand. Raises Refused for a unit that cannot be asked, or the one that is asked already.
    """
    workflow.check_way(proposal, "ask_other", actor=actor)
    aimed, former = _aimed(proposal, proposal.aim), proposal.receiver_id
    problems = _choice_problems(aimed["choices"], receiver_id, following)
    if receiver_id == former:
        problems["receiver"] = _("正在询问这家机构，请选择其他机构。")
    if former in following:
        problems["following"] = _("依次询问的机构中有正在询问的这家，请改选。")
    if problems:
        raise Refused(_("还不能改问其他机构。"), fields=problems)
    return workflow.apply(
        proposal,
        "ask_other",
        actor=actor,
        values={**aimed, **_asked(receiver_id, following)},
        details={**facts_of(proposal), "receiver": receiver_id, "former": former},
    )


@transaction.atomic
def agree_receiver(*, proposal: DownProposal, actor: Actor) -> DownProposal:
    """The receiver takes the patient; the ward then discharges with the drafted plan."""
    return workflow.apply(
        proposal, "agree_receiver", actor=actor, values={"answered_at": timezone.now()}, details=facts_of(proposal)
    )


@transaction.atomic
def refuse_receiver(*, proposal: DownProposal, code: str, reason: str, actor: Actor) -> DownProposal:
    """The receiver cannot, with a coded reason; whom the ward named next is asked, and after the last the ward chooses again."""
    words = refusal_words(code, reason)
    said = [*proposal.receiver_codes, {"unit": proposal.receiver_id, "code": code, "words": reason.strip()[:200]}]
    return _next(proposal, ("ask_next", "refuse_receiver"), code=code, words=words, said=said, actor=actor)


def pass_on_unanswered(*, actor: Actor, now: datetime | None = None) -> int:
    """Ask the next unit of those proposals that the asked one let lie; returns how many."""
    late = DownProposal.objects.select_for_update(skip_locked=True, of=("self",)).filter(
        state="asked", asked_at__lte=(now or timezone.now()) - case_states.SILENT_ASKED
    )
    found = list(late.order_by("asked_at")[:_AT_ONCE])
    for proposal in found:
        _next(proposal, ("pass_on", "time_out"), code="", words="", said=proposal.receiver_codes, actor=actor)
    return len(found)


def _next(
    proposal: DownProposal, verbs: tuple[str, str], *, code: str, words: str, said: list[Any], actor: Actor
) -> DownProposal:
    """Go on to the next of the ward's order by the first verb, or back to the ward by the second."""
    tried = list(dict.fromkeys([*proposal.tried, proposal.receiver_id]))
    # Whom the ward named is asked, also where it asks the same unit once more: only who has just answered is not.
    left = [one for one in proposal.following if one != proposal.receiver_id]
    values: dict[str, Any] = {"tried": tried, "receiver_codes": said}
    details = {**facts_of(proposal), "code": code, "by": "receiver", "former": proposal.receiver_id}
    if not left:
        return workflow.apply(
            proposal, verbs[1], actor=actor, reason=words, values={**values, "following": []}, details=details
        )
    values |= _asked(left[0], left[1:])
    return workflow.apply(
        proposal, verbs[0], actor=actor, reason=words, values=values, details={**details, "receiver": left[0]}
    )


def _asked(receiver_id: int | None, following: Sequence[int]) -> dict[str, Any]:
    further = [one for one in dict.fromkeys(following) if one != receiver_id]
    return {"receiver_id": receiver_id, "following": further, "asked_at": timezone.now()}


def _choice_problems(choices: list[dict[str, Any]], wanted: int | None, following: Sequence[int]) -> dict[str, object]:
    askable = {one["id"] for one in choices if one.get("askable", one["able"])}
    problems: dict[str, object] = {}
    if wanted is None or wanted not in askable:
        problems["receiver"] = _("没有可承接的基层机构，请先与基层联系或改选。")
    if set(following) - askable:
        problems["following"] = _("依次询问的机构中有不能承接的，请改选。")
    return problems


def _aimed(proposal: DownProposal, aim: str) -> dict[str, Any]:
    """The columns of a proposal for an aim, its units weighed now; why the house proposed it goes with another aim."""
    if aim not in down_aims.AIMS:
        raise Refused(_("去向不对。"), fields={"aim": _("请从列表中选择患者的去向。")})
    needs, weighed = down_queries.weighed_for(proposal, aim=aim)
    chosen = down_queries.as_choices(weighed)
    why = proposal.aim_reason if aim == proposal.aim else ""
    return {"aim": aim, "aim_reason": why, "needs": down_queries.as_needs(needs), "choices": chosen}
