"""A decision as FHIR R4 DetectedIssue (hl7.org/fhir/R4/detectedissue.html): a duplicate was found, and what was done about it."""

from uuid import UUID

from doorstep.coordination.recognition import rules
from doorstep.coordination.recognition.models import Decision
from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.record.publishing import Published

CATEGORY = "recognition"
_ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"


def to_issue(decision: Decision, *, patient_key: UUID, patient_name: str, author: UUID | None) -> Published:
    """The DetectedIssue of a decision: final, or cancelled when a later one took its place."""
    named = f"{decision.title}（{decision.reported_on.isoformat()}，{decision.unit or '未注明机构'}）"
    again = decision.verdict == Decision.Verdict.REPEATED
    said = f"{Decision.Verdict(decision.verdict).label}：{named}"
    action = (
        elements.concept(systems.REPEAT_REASON, decision.reason, rules.REASONS[decision.reason])
        if again
        else elements.concept(systems.REPEAT_REASON, "recognised", "认可既往结果")
    )
    implicated = [elements.reference("DiagnosticReport", decision.report_id, decision.title)]
    if decision.order_key:
        implicated.append(elements.reference("ServiceRequest", decision.order_key))
    content = elements.compact(
        {
            "resourceType": "DetectedIssue",
            "id": str(decision.key),
            "status": "final" if decision.superseded_at is None else "cancelled",
            "code": elements.concept(_ACT, "DUPTHPY", "Duplicate Therapy Alert", said),
            "severity": "low",
            "patient": elements.reference("Patient", patient_key, patient_name),
            "identifiedDateTime": elements.instant(decision.decided_at),
            "author": elements.reference("Practitioner", author, decision.decided_by_name) if author else None,
            "implicated": implicated,
            "detail": decision.words,
            "mitigation": [{"action": action, "date": elements.instant(decision.decided_at)}],
        }
    )
    return Published(
        content=content,
        organization_id=decision.organization_id,
        occurred_at=decision.decided_at,
        episode=decision.episode,
        category=CATEGORY,
    )
