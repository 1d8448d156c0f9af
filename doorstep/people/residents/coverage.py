"""A line of insurance as FHIR R4 Coverage (hl7.org/fhir/R4/coverage.html), with the diseases that its fund has recognised (门诊慢特病) as classes."""

from collections.abc import Iterable
from uuid import UUID

from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.record.publishing import Published
from doorstep.people.residents import insurance, special
from doorstep.people.residents.models import Insurance
from doorstep.people.residents.special_models import SpecialDisease

CATEGORY = "coverage"
_CLASSES = "http://terminology.hl7.org/CodeSystem/coverage-class"
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


def to_coverage(
    line: Insurance, *, patient_key: UUID | str, patient_name: str, specials: Iterable[SpecialDisease] = ()
) -> Published:
    """The Coverage of a line as it is now: active while it stands, cancelled when it ended, entered-in-error when it was wrong.

    `specials` are the diseases that stand; those that are not said aloud are left to their own sensitive Flag.
    """
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
            "class": [_class(one) for one in specials if one.kind not in special.SENSITIVE]
            if line.kind in insurance.FUNDED
            else [],
        }
    )
    return Published(
        content=content, organization_id=line.organization_id, occurred_at=line.recorded_at, category=CATEGORY
    )


def _class(line: SpecialDisease) -> elements.Json:
    """A recognised disease as a class of the cover: who pays what for outpatient care depends on it."""
    return {
        "extension": [
            elements.extension(systems.RECOGNISED_PERIOD, valuePeriod=elements.period(line.since, line.until))
        ],
        "type": {"coding": [elements.coding(_CLASSES, "class", "Class")], "text": "门诊慢特病"},
        "value": line.kind,
        "name": line.name if line.kind == special.OTHER else special.KINDS[line.kind],
    }
