"""Which entries get a label of sensitivity from the diagnosis that they are coded with, when they are written."""

from dataclasses import replace
from typing import Any

from doorstep.kernel.fhir import systems
from doorstep.kernel.record.publishing import Row
from doorstep.kernel.terminology import sensitivity

# What asks somebody to act goes to whom it is addressed, who could not act on what is veiled; and what words mean concerns nobody.
_UNLABELLED = frozenset(
    ["ServiceRequest", "Task", "Appointment", "AppointmentResponse", "Communication", "CommunicationRequest", "CodeSystem", "ValueSet",
     "ConceptMap", "Questionnaire", "PlanDefinition", "ActivityDefinition", "Library", "Measure", "Bundle", "Group", "Medication"]
)  # fmt: skip
# Of what our own actions write: the entries of the record; the papers of a workflow are guarded by its episode.
_OWN = frozenset(
    ["Condition", "Observation", "DiagnosticReport", "Procedure", "MedicationRequest", "MedicationStatement", "MedicationDispense",
     "EpisodeOfCare", "Immunization"]
)  # fmt: skip


def received(resource: dict[str, Any]) -> dict[str, Any]:
    """What a hospital sent, with the labels of the sensitive diagnoses that it is coded with."""
    return resource if resource["resourceType"] in _UNLABELLED else _labelled(resource)


def published(row: Row) -> Row:
    """What an action of ours publishes: an entry that is coded with a sensitive diagnosis is labelled and sensitive."""
    content = row.published.content
    if row.received or row.deleted or row.resident_id is None or content["resourceType"] not in _OWN:
        return row
    labelled = _labelled(content)
    if labelled is content:
        return row
    return replace(row, published=replace(row.published, content=labelled, sensitive=True))


def _labelled(resource: dict[str, Any]) -> dict[str, Any]:
    labels = sensitivity.labels_of(resource)
    return sensitivity.labelled(resource, labels, house=systems.SENSITIVITY) if labels else resource
