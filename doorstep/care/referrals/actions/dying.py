"""What a resident's death ends: open referrals and follow-ups, whoever has them."""

from django.db import transaction
from django.utils.translation import gettext as _

from doorstep.care.referrals import states
from doorstep.care.referrals.actions.case import retract_question
from doorstep.care.referrals.actions.details import details_of
from doorstep.care.referrals.actions.down import facts_of
from doorstep.care.referrals.actions.ending import record_death
from doorstep.care.referrals.models import CaseQuestion, DownProposal, FollowUp, Referral
from doorstep.coordination.beds import actions as beds
from doorstep.coordination.beds import queries as bed_queries
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.workflow import actions as workflow


@transaction.atomic
def end_for_death(*, resident_id: int, actor: Actor) -> int:
    """End every open follow-up, referral, proposal and question of a resident who has died; places and beds are given back.

    Returns how many ended. What is still owed stays, and nobody is reminded of it any more.
    """
    reason = _("居民已登记死亡")
    follow_ups = list(
        FollowUp.objects.filter(resident_id=resident_id, state__in=("planned", "due", "missed")).select_related(
            "referral"
        )
    )
    for follow_up in follow_ups:
        referral = follow_up.referral
        facts = {**details_of(referral), "referral": referral.subject, "day": follow_up.day, "unit": follow_up.unit_id}
        workflow.apply(follow_up, "cancel", actor=actor, reason=reason, details=facts)
    referrals = list(Referral.objects.filter(resident_id=resident_id).exclude(state__in=states.ENDED))
    for referral in referrals:
        record_death(referral=referral, reason=reason, actor=actor)
    proposals = list(DownProposal.objects.filter(resident_id=resident_id, state__in=("proposed", "asked")))
    for proposal in proposals:
        workflow.apply(proposal, "lapse", actor=actor, reason=reason, details=facts_of(proposal))
    # Who asked how to treat this patient need not be answered any more.
    questions = list(CaseQuestion.objects.filter(resident_id=resident_id, state="asked").select_related("referral"))
    for question in questions:
        retract_question(question=question, actor=actor)
    stay = bed_queries.open_stay_of(resident_id=resident_id)
    if stay is not None:
        beds.leave(stay=stay, actor=actor)
    return len(follow_ups) + len(referrals) + len(proposals) + len(questions)
