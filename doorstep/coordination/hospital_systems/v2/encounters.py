"""ADT: stays and visits as Encounter, diagnoses as Condition, allergies as AllergyIntolerance (HL7 v2.5.1 chapters 3 and 6)."""

from datetime import datetime

from doorstep.coordination.hospital_systems.v2 import tables
from doorstep.coordination.hospital_systems.v2.reading import Read, Segment
from doorstep.coordination.hospital_systems.v2.times import fhir_time, moment_of
from doorstep.coordination.hospital_systems.writing import Writer
from doorstep.kernel.exchange.formats import Fault
from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.fhir.elements import Json

# What the trigger event makes of the stay; the others leave it as it is.
STATUS = {
    "A01": "in-progress", "A02": "in-progress", "A03": "finished", "A04": "arrived", "A05": "planned", "A11": "cancelled",
    "A13": "in-progress",
}  # fmt: skip
_ALLERGY_CATEGORY = {"DA": "medication", "FA": "food", "EA": "environment", "LA": "biologic", "MA": "environment"}
_SEVERITY = {"SV": "high", "MO": "low", "MI": "low", "U": "unable-to-assess"}


def write(read: Read, writer: Writer, *, event: str) -> None:
    """Write the stay of an ADT message with its diagnoses and allergies."""
    visit = read.first("PV1")
    reference = None
    if visit is not None and visit_number(visit):
        reference = writer.put(
            _encounter(read, visit, writer, event), thing=visit_number(visit), occurred_at=_began(visit)
        )
    elif event not in ("A08", "A31"):
        raise Fault("visit-number-missing", "PV1-19")
    for number, segment in enumerate(read.all("DG1"), start=1):
        _write_diagnosis(segment, writer, number, reference, visit)
    for segment in read.all("AL1"):
        _write_allergy(segment, writer)


def visit_number(visit: Segment) -> str:
    """PV1-19, or PV1-50 where a system only fills the alternate number."""
    return visit.text(19) or visit.text(50)


def reference_of(read: Read, writer: Writer) -> Json | None:
    """The reference to the stay that a PV1 names: literal when the record has it, else by its number alone."""
    visit = read.first("PV1")
    number = visit_number(visit) if visit is not None else ""
    if not number:
        return None
    if writer.present("Encounter", number) is not None:
        return elements.reference("Encounter", writer.address("Encounter", number))
    return {"type": "Encounter", "identifier": writer.number("visit", number)}


def _encounter(read: Read, visit: Segment, writer: Writer, event: str) -> Json:
    number = visit_number(visit)
    before = writer.present("Encounter", number) or {}
    ended = fhir_time(visit.text(45))
    status = STATUS.get(event) or ("finished" if ended else before.get("status", "in-progress"))
    if event == "A13":
        ended = ""
    began = fhir_time(visit.text(44)) or before.get("period", {}).get("start", "")
    if not ended and status == "finished":
        ended = elements.instant(writer.event_at)
    reason = read.first("PV2")
    return elements.compact(
        {
            "resourceType": "Encounter",
            "identifier": [writer.number("visit", number)],
            "status": status,
            "class": _class_of(visit, writer),
            "type": [elements.text_concept(visit.text(4))] if visit.text(4) else [],
            "subject": writer.patient,
            "participant": _participants(visit),
            "period": elements.compact({"start": began, "end": ended}),
            "reasonCode": [elements.text_concept(reason.text(3, 2) or reason.text(3))]
            if reason and reason.text(3)
            else [],
            "hospitalization": _hospitalization(visit),
            "location": _locations(visit, status),
            "serviceProvider": {"display": writer.task.actor.organization_name},
        }
    )


def _class_of(visit: Segment, writer: Writer) -> Json:
    given = visit.text(2)
    known = tables.PATIENT_CLASS.get(given.upper())
    if known:
        return elements.coding(systems.ENCOUNTER_CLASS, *known)
    if not given:
        raise Fault("field-missing", "PV1-2")
    code = tables.decided(writer.task, {}, table="patient-class", code=given, place="PV1-2")
    return elements.coding(systems.ENCOUNTER_CLASS, code)


def _participants(visit: Segment) -> list[Json]:
    found = []
    for field, code, display in (
        (7, "ATND", "attender"),
        (8, "REF", "referrer"),
        (9, "CON", "consultant"),
        (17, "ADM", "admitter"),
    ):
        name = person_name(visit, field)
        if name:
            kind = elements.concept("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", code, display)
            found.append({"type": [kind], "individual": {"display": name}})
    return found


def person_name(segment: Segment, field: int) -> str:
    """A name of staff (XCN): number, family, given."""
    return (segment.text(field, 2) + segment.text(field, 3)) or segment.text(field, 1)


def _locations(visit: Segment, status: str) -> list[Json]:
    found = []
    for field, state in ((6, "completed"), (3, "completed" if status == "finished" else "active")):
        words = " ".join(filter(None, (visit.text(field, part) for part in (1, 2, 3))))
        if words:
            found.append({"location": {"display": words}, "status": state})
    return found


def _hospitalization(visit: Segment) -> Json:
    out = visit.text(36)
    return {"dischargeDisposition": elements.text_concept(out)} if out else {}


def _began(visit: Segment) -> datetime | None:
    return moment_of(visit.text(44))


def _write_diagnosis(
    segment: Segment, writer: Writer, number: int, encounter: str | None, visit: Segment | None
) -> None:
    code, words = segment.text(3), segment.text(3, 2) or segment.text(4)
    if not code and not words:
        return
    stay = visit_number(visit) if visit is not None else ""
    thing = f"{stay}|{segment.text(20) or code or words}|{segment.text(6)}"
    use = tables.DIAGNOSIS_USE.get(segment.text(6).upper())
    category = elements.concept(
        "http://terminology.hl7.org/CodeSystem/condition-category", "encounter-diagnosis", "Encounter Diagnosis"
    )
    removed = segment.text(21).upper() == "D"
    verification = "entered-in-error" if removed else "confirmed" if segment.text(6).upper() == "F" else "provisional"
    resource = elements.compact(
        {
            "resourceType": "Condition",
            "identifier": [writer.number("diagnosis", thing)],
            "clinicalStatus": None if removed else elements.concept(systems.CONDITION_CLINICAL, "active"),
            "verificationStatus": elements.concept(
                "http://terminology.hl7.org/CodeSystem/condition-ver-status", verification
            ),
            "category": [category],
            "code": tables.concept(
                writer.task, table="diagnosis", code=code, display=words, system=segment.text(3, 3) or "I10"
            ),
            "subject": writer.patient,
            "encounter": {"reference": encounter} if encounter else None,
            "recordedDate": fhir_time(segment.text(5)),
            "note": [{"text": use[1]}] if use else [],
        }
    )
    writer.put(resource, thing=thing, occurred_at=moment_of(segment.text(5)))


def _write_allergy(segment: Segment, writer: Writer) -> None:
    code, words = segment.text(3), segment.text(3, 2)
    if not code and not words:
        return
    category = _ALLERGY_CATEGORY.get(segment.text(2).upper())
    reaction = segment.text(5)
    resource = elements.compact(
        {
            "resourceType": "AllergyIntolerance",
            "identifier": [writer.number("allergy", code or words)],
            "clinicalStatus": elements.concept(
                "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "active"
            ),
            "category": [category] if category else [],
            "criticality": _SEVERITY.get(segment.text(4).upper()),
            "code": tables.concept(writer.task, table="allergen", code=code, display=words, system=segment.text(3, 3)),
            "patient": writer.patient,
            "recordedDate": fhir_time(segment.text(6)),
            "reaction": [{"manifestation": [elements.text_concept(reaction)]}] if reaction else [],
        }
    )
    writer.put(resource, thing=code or words)
