"""A merge that takes two persons of the records office: one proposes it, another agrees, declines, or the first takes it back."""

from collections.abc import Collection, Mapping
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Conflict, NotFound, Refused
from doorstep.kernel.workflow import actions as workflow
from doorstep.people.identity import actions
from doorstep.people.identity.models import Merge, MergeProposal
from doorstep.people.identity.states import PROPOSED
from doorstep.people.residents.models import Resident
from doorstep.people.residents.permissions import Permission


def proposal_between(one: Resident, other: Resident) -> MergeProposal | None:
    """The proposal for these two records, while it waits for the second person."""
    pair = [one.pk, other.pk]
    return MergeProposal.objects.filter(resident_id__in=pair, former_id__in=pair, state=PROPOSED).first()


def waiting_proposals() -> list[MergeProposal]:
    """What waits for a second person, as far as the actor sees both records, the oldest first."""
    rows = MergeProposal.objects.filter(state=PROPOSED).select_related("resident", "former", "organization")
    return list(rows.order_by("created_at", "id")[:50])


def get_proposal(*, key: UUID) -> MergeProposal:
    """One proposal; raises NotFound when it is not there or not the actor's."""
    rows = MergeProposal.objects.select_related("resident", "former", "organization", "merge")
    found = rows.filter(key=key).first()
    if found is None:
        raise NotFound()
    return found


@transaction.atomic
def propose(
    *,
    standing: Resident,
    former: Resident,
    choices: Mapping[str, str],
    confirmed: Collection[str],
    reason: str,
    actor: Actor,
) -> MergeProposal:
    """Ask a second person to merge two records; arguments and refusals as of `actions.merge`, Conflict when one is waiting."""
    actor.check(Permission.RESIDENT_MERGE)
    reason = reason.strip()
    organization_id = actions.check_two(standing, former, actor)
    actions.check_differences(standing, former, confirmed=confirmed, reason=reason)
    proposal = MergeProposal(
        resident=standing,
        former=former,
        organization_id=organization_id,
        choices=actions.kept_choices(choices),
        confirmed=sorted(confirmed),
        reason=reason[:400],
        proposed_by_id=actor.user_id,
        proposed_by_name=actor.display_name[:80],
    )
    try:
        with transaction.atomic():
            return workflow.begin(proposal, "propose", actor=actor)
    except IntegrityError as error:
        raise Conflict(_("这两份档案已有一份待复核的合并申请，请刷新后查看。")) from error


@transaction.atomic
def agree(*, proposal: MergeProposal, actor: Actor) -> Merge:
    """Merge as proposed; whoever proposed it cannot agree. What has changed since and was not confirmed is refused."""
    actor.check(Permission.RESIDENT_MERGE)
    if actor.user_id == proposal.proposed_by_id:
        raise Refused(_("提请复核的人不能自己同意，请由另一位档案管理员复核。"))
    workflow.check_way(proposal, "agree", actor=actor)
    made = actions.merge(
        standing=proposal.resident,
        former=proposal.former,
        choices=proposal.choices,
        reason=proposal.reason,
        actor=actor,
        confirmed=proposal.confirmed,
        proposal=proposal,
    )
    workflow.apply(proposal, "agree", actor=actor, values={"merge_id": made.pk})
    return made


def decline(*, proposal: MergeProposal, reason: str, actor: Actor) -> MergeProposal:
    """Not one person, or not shown well enough; the reason is for whoever proposed it."""
    return workflow.apply(proposal, "decline", actor=actor, reason=reason)


def withdraw(*, proposal: MergeProposal, actor: Actor) -> MergeProposal:
    """Take back what one proposed oneself."""
    if actor.user_id != proposal.proposed_by_id:
        raise Refused(_("只有提请复核的人可以撤回；不同意请写明原因。"))
    return workflow.apply(proposal, "withdraw", actor=actor)
