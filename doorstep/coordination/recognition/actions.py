"""Keeping what a doctor decided before a result that stands."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.coordination.recognition import rules
from doorstep.coordination.recognition.events import ExaminationRepeated, ResultRecognised
from doorstep.coordination.recognition.models import Decision
from doorstep.coordination.recognition.published import to_issue
from doorstep.coordination.recognition.queries import Standing
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound, Refused
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.database.calls import run
from doorstep.kernel.events import actions as events
from doorstep.kernel.record import actions as record
from doorstep.kernel.record.publishing import Row
from doorstep.people.residents.models import Resident
from doorstep.people.workforce import queries as workforce


@transaction.atomic
def recognise(*, resident: Resident, standing: Standing, episode: str, organization_id: int, actor: Actor) -> Decision:
    """Write that a result stands and nothing is ordered. Raises Refused for a dangerous one, which is checked again."""
    if standing.critical:
        raise Refused(_("这个结果是危急值，不适用互认；病情需要时应当复查。"))
    decision = _new(resident, standing, episode, organization_id, actor)
    decision.verdict = Decision.Verdict.RECOGNISED.value
    return _keep(decision, actor)


@transaction.atomic
def record_repeat(
    *,
    resident: Resident,
    standing: Standing,
    episode: str,
    organization_id: int,
    order_key: UUID,
    reason: str,
    words: str,
    actor: Actor,
) -> Decision:
    """Write that the examination is made again although a result stands, and why. Raises Refused at the field."""
    found = rules.reason_faults(reason=reason, words=words)
    if found:
        raise Refused(_("没有保存，请补全重复检查的理由。"), fields=found)
    decision = _new(resident, standing, episode, organization_id, actor)
    decision.verdict = Decision.Verdict.REPEATED.value
    decision.reason, decision.words, decision.order_key = reason, words.strip()[:200], order_key
    return _keep(decision, actor)


def _new(resident: Resident, standing: Standing, episode: str, organization_id: int, actor: Actor) -> Decision:
    if not actor.is_system and not actor.reaches(organization_id):
        raise NotFound()
    return Decision(
        resident=resident,
        organization_id=organization_id,
        consortium_id=actor.consortium_id,
        episode=episode,
        kind=standing.kind,
        report_id=standing.fhir_id,
        title=standing.title[:120],
        unit=standing.unit[:120],
        reported_on=standing.on,
        age_days=standing.age,
        decided_by_id=actor.user_id,
        decided_by_name=actor.display_name[:80],
    )


def _keep(decision: Decision, actor: Actor) -> Decision:
    """Insert the decision in the place of an earlier one of the same visit, with its traces in one statement."""
    earlier = list(
        Decision.objects.select_for_update(of=("self",)).filter(
            episode=decision.episode, report_id=decision.report_id, superseded_at__isnull=True
        )
    )
    for one in earlier:
        one.superseded_at = timezone.now()
        one.save(update_fields=["superseded_at"])
    decision.save(force_insert=True)
    facts = {"kind": decision.kind, "report": decision.report_id, "age": decision.age_days}
    if decision.reason:
        facts["reason"] = decision.reason
    subject = f"recognition/{decision.key}"
    event = ResultRecognised if decision.verdict == Decision.Verdict.RECOGNISED else ExaminationRepeated
    told = event(
        subject=subject,
        subject_id=decision.pk,
        resident_id=decision.resident_id,
        organization_id=decision.organization_id,
        consortium_id=actor.consortium_id,
        user_id=actor.user_id,
        details=facts,
    )
    audited = audit.recording(
        action=f"recognition.{decision.verdict}",
        actor=actor,
        subject=subject,
        resident_id=decision.resident_id,
        details=facts,
    )
    written = record.writing(_rows([*earlier, decision], decision.resident, actor), actor=actor)
    record.written(run([written, events.publishing(told), audited])[0])
    return decision


def _rows(decisions: Sequence[Decision], resident: Resident, actor: Actor) -> list[Row]:
    author = workforce.key_of(practitioner_id=actor.practitioner_id) if actor.practitioner_id else None
    return [
        Row(
            published=to_issue(one, patient_key=resident.key, patient_name=resident.name, author=author),
            resident_id=resident.pk,
        )
        for one in decisions
    ]
