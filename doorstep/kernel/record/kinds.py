"""What the machine interface takes of each resource type, and whom a resource concerns."""

from datetime import UTC, datetime
from typing import Any

# Ours alone: kept by actions, or not things that are stored.
CLOSED = {
    "AuditEvent": "审计记录由系统自己写 / the trail is written by the house",
    "Parameters": "Parameters 只用于操作 / Parameters belong to operations",
    "OperationOutcome": "OperationOutcome 不存储 / OperationOutcomes are not stored",
}
# Every one of these is made and changed by an action, under an id that the house gives: what machines may do with them.
BY_ACTION: dict[str, tuple[str, ...]] = {
    "Patient": ("create", "update", "patch"),
    "Subscription": ("create", "update", "patch", "delete"),
}
# Of no resident and open to all who are somebody: who works where, and what words mean.
SHARED = frozenset(
    [
        "ActivityDefinition",
        "CapabilityStatement",
        "ChargeItemDefinition",
        "CodeSystem",
        "CompartmentDefinition",
        "ConceptMap",
        "DeviceDefinition",
        "Endpoint",
        "EventDefinition",
        "GraphDefinition",
        "HealthcareService",
        "ImplementationGuide",
        "InsurancePlan",
        "Library",
        "Location",
        "Measure",
        "Medication",
        "MedicationKnowledge",
        "MessageDefinition",
        "NamingSystem",
        "ObservationDefinition",
        "OperationDefinition",
        "Organization",
        "OrganizationAffiliation",
        "PlanDefinition",
        "Practitioner",
        "PractitionerRole",
        "Questionnaire",
        "Schedule",
        "SearchParameter",
        "Slot",
        "SpecimenDefinition",
        "StructureDefinition",
        "StructureMap",
        "Substance",
        "TerminologyCapabilities",
        "ValueSet",
    ]
)
# Where a resource names its resident, in the order of their weight (hl7.org/fhir/R4/compartmentdefinition-patient.html).
SUBJECTS = ("subject", "patient", "beneficiary", "for", "individual", "securityContext")
_TIMES = (
    "effectiveDateTime",
    "effectiveInstant",
    "issued",
    "performedDateTime",
    "onsetDateTime",
    "recordedDate",
    "occurrenceDateTime",
    "authoredOn",
    "date",
    "created",
    "createdDateTime",
    "sent",
    "started",
    "start",
    "recorded",
    "authored",
    "dateTime",
    "whenHandedOver",
    "startDate",
)
_SPANS = ("period", "effectivePeriod", "performedPeriod", "occurrencePeriod", "onsetPeriod", "executionPeriod")
_CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"


def occurred_at(resource: dict[str, Any]) -> datetime | None:
    """The time that the record files a resource under; None when it names none."""
    text = next((resource[name] for name in _TIMES if isinstance(resource.get(name), str)), None)
    if text is None:
        spans = (resource.get(name) for name in _SPANS)
        text = next((span["start"] for span in spans if isinstance(span, dict) and "start" in span), None)
    if not isinstance(text, str):
        return None
    padded = text if len(text) > len("2026-01") else f"{text}-01-01"[: len("2026-01-01")]
    try:
        moment = datetime.fromisoformat(padded.replace("Z", "+00:00"))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def is_restricted(resource: dict[str, Any]) -> bool:
    """Whether its own security label says restricted or very restricted."""
    labels = (resource.get("meta") or {}).get("security") or []
    return any(one.get("system") == _CONFIDENTIALITY and one.get("code") in ("R", "V") for one in labels)
