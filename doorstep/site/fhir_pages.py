"""A page of the documentation per FHIR resource: how it is searched, from the table that searches go by."""

from doorstep.kernel.fhir.parameters import Parameter, parameters, shown_in_summary
from doorstep.kernel.record.kinds import CLOSED, SHARED
from doorstep.site.fhir.topics import TOPICS

# The types that our clients work with; every other R4 type is searched in the same way.
TYPES = (
    "AllergyIntolerance", "Appointment", "AppointmentResponse", "AuditEvent", "Bundle", "CapabilityStatement", "CarePlan", "CareTeam", "CodeSystem",
    "Communication", "CommunicationRequest", "Composition", "ConceptMap", "Condition", "Consent", "Contract", "Coverage", "Device",
    "DeviceMetric", "DiagnosticReport", "DocumentReference", "Encounter", "EpisodeOfCare", "Flag", "Goal", "Group",
    "HealthcareService", "ImagingStudy", "Immunization", "ImplementationGuide", "List", "Location", "Measure", "MeasureReport", "Media",
    "MedicationDispense", "MedicationRequest", "MedicationStatement", "Observation", "OperationDefinition", "Organization", "Patient", "PlanDefinition",
    "Practitioner", "PractitionerRole", "Procedure", "Provenance", "Questionnaire", "QuestionnaireResponse", "RelatedPerson",
    "Schedule", "SearchParameter", "ServiceRequest", "Slot", "Specimen", "StructureDefinition", "Subscription", "Task", "ValueSet",
)  # fmt: skip
_MODIFIERS = {
    "token": ":text :not :in :not-in :above :below :of-type :missing",
    "string": ":exact :contains :missing",
    "reference": ":identifier :[type] :missing, chains, _has",
    "uri": ":above :below :missing",
}


def pages() -> dict[str, str]:
    """The text of each page by its name."""
    return {f"fhir-{type.lower()}": _page(type) for type in TYPES} | {"subscription-topics": _topics()}


def _topics() -> str:
    lines = ["# Topics to subscribe to\n", "How: [Subscription](../fhir/subscription.md).\n"]
    for one in TOPICS:
        filters = f" Filters: {', '.join(one.filters)}." if one.filters else ""
        parts = [
            (one.type, one.criteria, one.changed),
            *((part.type, part.criteria, part.changed) for part in one.also),
        ]
        lines += [
            f"## {one.title} ({one.title_zh})\n",
            f"`{one.url}`\n",
            f"{one.description}\n",
            f"Trigger: {'; or '.join(_trigger(*part) for part in parts)}.{filters}\n",
        ]
    return "\n".join(lines)


def _trigger(type: str, criteria: str, changed: tuple[str, ...]) -> str:
    met = f" that meets `{criteria}`" if criteria else ""
    return f"A {type}{met} is new, or differs from its last version in {', '.join(changed)}"


def _page(type: str) -> str:
    access = "Shared: everybody who may use the interface reads it." if type in SHARED else (
        "Behind the wall: read by whoever has a care relationship that covers it."
    )  # fmt: skip
    closed = " Machines read it and do not write it." if type in CLOSED else ""
    lines = [
        f"# {type}: searching\n",
        f"{access}{closed}\n",
        f"`GET /fhir/{type}?…` or `POST /fhir/{type}/_search`. `_summary=true` shows: {', '.join(sorted(shown_in_summary(type)))}.\n",
        "| parameter | type | of | points at | modifiers |",
        "|---|---|---|---|---|",
        *(_line(one) for one in parameters(type).values()),
    ]
    return "\n".join(lines) + "\n"


def _line(one: Parameter) -> str:
    where = [path.partition(":")[0] for path in one.paths] or ["$".join(code for code, _ in one.components)]
    targets = ", ".join(one.targets) if one.targets else "any type" if one.kind == "reference" else ""
    return f"| {one.code} | {one.kind} | {', '.join(dict.fromkeys(where))} | {targets} | {_MODIFIERS.get(one.kind, ':missing')} |"
