"""ORM and OML: orders as ServiceRequest, medicines as MedicationRequest, specimens as Specimen (HL7 v2.5.1 chapter 4)."""

from doorstep.coordination.hospital_systems.v2 import tables
from doorstep.coordination.hospital_systems.v2.encounters import person_name, reference_of
from doorstep.coordination.hospital_systems.v2.reading import Read, Segment
from doorstep.coordination.hospital_systems.v2.times import fhir_time, moment_of
from doorstep.coordination.hospital_systems.writing import Writer
from doorstep.kernel.exchange.formats import Fault
from doorstep.kernel.fhir import elements
from doorstep.kernel.fhir.elements import Json


def write(read: Read, writer: Writer) -> None:
    """Write every order of a message."""
    groups = read.groups("ORC")
    if not groups:
        raise Fault("segment-missing", "ORC")
    encounter = reference_of(read, writer)
    for group in groups:
        control = group[0]
        detail = next((one for one in group[1:] if one.name in ("OBR", "RXO")), None)
        number = order_number(control, detail)
        if not number:
            raise Fault("order-number-missing", "ORC-2")
        if detail is not None and detail.name == "RXO":
            writer.put(_medication(group, control, detail, writer, number=number, encounter=encounter), thing=number)
        else:
            specimens = _write_specimens(group, writer, number)
            resource = _service(group, control, detail, writer, number=number, encounter=encounter)
            writer.put({**resource, **({"specimen": specimens} if specimens else {})}, thing=number)


def order_number(control: Segment, detail: Segment | None) -> str:
    """The placer's number, or the filler's where a system only fills that."""
    own = (detail.text(2) or detail.text(3)) if detail is not None and detail.name == "OBR" else ""
    return control.text(2) or own or control.text(3)


def _status(control: Segment, writer: Writer) -> str:
    code = control.text(1).upper()
    if code == "SC":
        return tables.decided(
            writer.task, tables.ORDER_STATUS, table="order-status", code=control.text(5), place="ORC-5"
        )
    return tables.decided(writer.task, tables.ORDER_CONTROL, table="order-control", code=code, place="ORC-1")


def _service(
    group: list[Segment],
    control: Segment,
    detail: Segment | None,
    writer: Writer,
    *,
    number: str,
    encounter: Json | None,
) -> Json:
    before = writer.present("ServiceRequest", number) or {}
    priority = ""
    code = before.get("code")
    if detail is not None:
        given = control.text(7, 6) or detail.text(27, 6) or detail.text(5)
        priority = tables.PRIORITY.get(given.upper(), "") if given else ""
        code = tables.concept(
            writer.task, table="order", code=detail.text(4), display=detail.text(4, 2), system=detail.text(4, 3)
        )
    if not code:
        raise Fault("field-missing", "OBR-4")
    requester = person_name(control, 12) or (person_name(detail, 16) if detail is not None else "")
    reason = detail.text(31, 2) or detail.text(31) or detail.text(13) if detail is not None else ""
    return elements.compact(
        {
            "resourceType": "ServiceRequest",
            "identifier": [writer.number("order", number)],
            "status": _status(control, writer),
            "intent": "order",
            "priority": priority or before.get("priority"),
            "code": code,
            "subject": writer.patient,
            "encounter": encounter,
            "authoredOn": fhir_time(control.text(9)) or before.get("authoredOn"),
            "requester": {"display": requester} if requester else before.get("requester"),
            "reasonCode": [elements.text_concept(reason)] if reason else before.get("reasonCode"),
            "note": notes_of(group),
        }
    )


def notes_of(group: list[Segment]) -> list[Json]:
    """The notes of a group, one per segment."""
    return [{"text": text} for one in group if one.name == "NTE" and (text := one.whole(3))]


def _medication(
    group: list[Segment], control: Segment, detail: Segment, writer: Writer, *, number: str, encounter: Json | None
) -> Json:
    status = {"revoked": "cancelled"}.get(found := _status(control, writer), found)
    amount, unit = detail.text(2), detail.text(4, 2) or detail.text(4)
    return elements.compact(
        {
            "resourceType": "MedicationRequest",
            "identifier": [writer.number("order", number)],
            "status": status,
            "intent": "order",
            "medicationCodeableConcept": tables.concept(
                writer.task, table="medicine", code=detail.text(1), display=detail.text(1, 2), system=detail.text(1, 3)
            ),
            "subject": writer.patient,
            "encounter": encounter,
            "authoredOn": fhir_time(control.text(9)),
            "requester": {"display": person_name(control, 12)} if person_name(control, 12) else None,
            "dosageInstruction": [{"text": f"{amount} {unit} {control.text(7, 2)}".strip()}] if amount else [],
            "note": notes_of(group),
        }
    )


def _write_specimens(group: list[Segment], writer: Writer, number: str) -> list[Json]:
    references = []
    for position, segment in enumerate([one for one in group if one.name == "SPM"], start=1):
        label = segment.text(2) or segment.text(2, 2) or f"{number}-{position}"
        taken = segment.text(17)
        resource = elements.compact(
            {
                "resourceType": "Specimen",
                "identifier": [writer.number("specimen", label)],
                "type": tables.concept(
                    writer.task,
                    table="specimen",
                    code=segment.text(4),
                    display=segment.text(4, 2),
                    system=segment.text(4, 3),
                ),
                "subject": writer.patient,
                "receivedTime": fhir_time(segment.text(18)),
                "collection": elements.compact({"collectedDateTime": fhir_time(taken)}),
            }
        )
        reference = writer.put(resource, thing=label, occurred_at=moment_of(taken))
        references.append({"reference": reference})
    return references
