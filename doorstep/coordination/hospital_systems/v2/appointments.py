"""SIU: bookings made in the hospital's own system as Appointment (HL7 v2.5.1 chapter 10)."""

from datetime import datetime, timedelta

from doorstep.coordination.hospital_systems import own_places
from doorstep.coordination.hospital_systems.v2 import tables
from doorstep.coordination.hospital_systems.v2.reading import Read, Segment
from doorstep.coordination.hospital_systems.v2.times import moment_of
from doorstep.coordination.hospital_systems.writing import Writer
from doorstep.kernel.access.refusals import Conflict
from doorstep.kernel.exchange.formats import Fault
from doorstep.kernel.fhir import elements
from doorstep.kernel.fhir.elements import Json

STATUS = {"S12": "booked", "S13": "booked", "S14": "booked", "S15": "cancelled"}
_MINUTES = {"": 1, "MIN": 1, "M": 1, "HR": 60, "H": 60, "S": 1 / 60, "SEC": 1 / 60}


def write(read: Read, writer: Writer, *, event: str) -> None:
    """Write the booking of a message: in the one pool where the clinic is one of ours, else as the hospital's Appointment."""
    plan = read.need("SCH")
    number = plan.text(2) or plan.text(1)
    if not number:
        raise Fault("booking-number-missing", "SCH-1")
    service = read.first("AIS")
    before = writer.present("Appointment", number) or {}
    start, end = _times(plan, service)
    if start is None and not before.get("start"):
        raise Fault("time-missing", "SCH-11.4")
    status = STATUS[event]
    if _in_the_pool(read, writer, number=number, start=start, cancelled=event == "S15"):
        return
    given = plan.text(25).upper()
    if event != "S15" and given:
        status = tables.APPOINTMENT_STATUS.get(given, status)
    resource = elements.compact(
        {
            "resourceType": "Appointment",
            "identifier": [writer.number("booking", number)],
            "status": status,
            "cancelationReason": elements.text_concept(plan.text(6, 2) or plan.text(6))
            if status == "cancelled" and plan.text(6)
            else None,
            "serviceType": _service(service, writer),
            "reasonCode": [elements.text_concept(plan.text(7, 2) or plan.text(7))] if plan.text(7) else [],
            "start": elements.instant(start) if start else before.get("start"),
            "end": elements.instant(end) if end else before.get("end"),
            "participant": _participants(read, writer, cancelled=status == "cancelled"),
        }
    )
    writer.put(resource, thing=number, occurred_at=start)


def _in_the_pool(read: Read, writer: Writer, *, number: str, start: datetime | None, cancelled: bool) -> bool:
    """Whether the booking is of a clinic whose places the house keeps; then it was made, moved or given back there."""
    pool, service, doctor = own_places.pool(), read.first("AIS"), read.first("AIP")
    if pool is None:
        return False
    plan = own_places.Plan(
        organization_id=writer.task.connection.organization_id,
        resident_id=writer.person.id,
        number=number,
        clinic=(service.text(3), service.text(3, 2)) if service is not None else ("", ""),
        doctor=doctor.text(3, 2) + doctor.text(3, 3) if doctor is not None else "",
        start=start,
        reason=read.need("SCH").text(6, 2) or read.need("SCH").text(6),
    )
    try:
        key = (pool.cancel if cancelled else pool.book)(plan, actor=writer.task.actor)
    except Conflict as refused:
        raise Fault("place-refused", "SCH-11", sentence=str(refused.message)) from refused
    if key is None:
        return False
    writer.outcome.results.append(("Appointment", str(key), 1))
    return True


def _times(plan: Segment, service: Segment | None) -> tuple[datetime | None, datetime | None]:
    start = moment_of(plan.text(11, 4)) or (moment_of(service.text(4)) if service is not None else None)
    end = moment_of(plan.text(11, 5))
    if start is not None and end is None:
        amount, unit = plan.text(9), plan.text(10).upper()
        if not amount and service is not None:
            amount, unit = service.text(7), service.text(8).upper()
        minutes = float(amount) * _MINUTES.get(unit, 1) if amount.replace(".", "", 1).isdecimal() else 15.0
        end = start + timedelta(minutes=minutes)
    return start, end


def _service(service: Segment | None, writer: Writer) -> list[Json]:
    if service is None or not service.text(3):
        return []
    return [
        tables.concept(
            writer.task, table="service", code=service.text(3), display=service.text(3, 2), system=service.text(3, 3)
        )
    ]


def _participants(read: Read, writer: Writer, *, cancelled: bool) -> list[Json]:
    answer = "declined" if cancelled else "accepted"
    found: list[Json] = [{"actor": writer.patient, "required": "required", "status": answer}]
    for segment in read.all("AIP"):
        name = segment.text(3, 2) + segment.text(3, 3) or segment.text(3)
        if name:
            found.append({"actor": {"display": name}, "status": answer})
    for segment in read.all("AIL"):
        words = " ".join(filter(None, (segment.text(3, part) for part in (1, 2, 3))))
        if words:
            found.append({"actor": {"display": words}, "status": answer})
    return found
