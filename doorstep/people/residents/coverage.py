"""A line of insurance as FHIR R4 Coverage (hl7.org/fhir/R4/coverage.html)."""

from uuid import UUID

from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.record.publishing import Published
from doorstep.people.residents import insurance
from doorstep.people.residents.models import Insurance

CATEGORY = "coverage"
_ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
_SELF_PAY = "http://terminology.hl7.org/CodeSystem/coverage-selfpay"
# The value set of R4 knows public policies, extended private ones, and people who pay themselves.
_TYPES = {
    insurance.EMPLOYEE: (_ACT, "PUBLICPOL", "public healthcare"),
    insurance.RURAL_URBAN: (_ACT, "PUBLICPOL", "public healthcare"),
    insurance.PUBLIC: (_ACT, "PUBLICPOL", "public healthcare"),
    insurance.COMMERCIAL: (_ACT, "EHCPOL", "extended healthcare"),
    insurance.SELF_PAY: (_SELF_PAY, "pay", "Pay"),
}


def to_coverage(line: Insurance, *, patient_key: UUID | str, patient_name: str) -> Published:
    """The Coverage of a line as it is now: active while it stands, cancelled when it ended, entered-in-error when it was wrong."""
    patient = elements.reference("Patient", patient_key, patient_name)
    status = "active" if line.ended_at is None else "cancelled"
    if line.ending == Insurance.Ending.ERROR:
        status = "entered-in-error"
    content = elements.compact(
        {
            "resourceType": "Coverage",
            "id": str(line.key),
            "status": status,
            "type": {
                "coding": [
                    elements.coding(systems.INSURANCE_KIND, line.kind, insurance.KINDS.get(line.kind, "")),
                    elements.coding(*_TYPES[line.kind]),
                ],
                "text": insurance.KINDS.get(line.kind, line.kind),
            },
            "policyHolder": patient if line.kind == insurance.SELF_PAY else None,
            "beneficiary": patient,
            "relationship": elements.concept(
                "http://terminology.hl7.org/CodeSystem/subscriber-relationship", "self", "Self"
            ),
            "period": elements.period(line.since, line.until),
            # The fund of a 统筹区 and an insurer are no organisations of the consortium: they are named, not referred to.
            "payor": [patient if line.kind == insurance.SELF_PAY else {"display": line.insurer or line.place}],
        }
    )
    return Published(
        content=content, organization_id=line.organization_id, occurred_at=line.recorded_at, category=CATEGORY
    )
