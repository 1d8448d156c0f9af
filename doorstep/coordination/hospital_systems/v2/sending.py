"""What a hospital's own system is told in HL7 v2 of what happened here: orders it is asked for, reports of its own, bookings, visits, people.

A line is a subscription (kernel/subscriptions): what the hospital may not see is not sent, the order is kept, what it wrote
itself never comes back to it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from doorstep.coordination.hospital_systems.models import PatientNumber
from doorstep.coordination.hospital_systems.v2 import composing, ordering
from doorstep.coordination.hospital_systems.v2.composing import coded, escaped, parts, pid, segment, stamp
from doorstep.kernel.access import queries as access
from doorstep.kernel.access.actor import Actor, Purpose
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.access.session import for_purpose
from doorstep.kernel.exchange import queries as exchange
from doorstep.kernel.exchange.models import Connection
from doorstep.kernel.fhir import systems
from doorstep.kernel.fhir.elements import Json
from doorstep.kernel.record import queries as record
from doorstep.kernel.record import stored
from doorstep.kernel.record.stored import Stored
from doorstep.kernel.subscriptions.messages import Envelope, Silence, Told
from doorstep.kernel.subscriptions.topics import Part
from doorstep.people.residents import queries as residents
from doorstep.people.residents.patient import to_patient

TOPIC = f"{systems.BASE}/SubscriptionTopic/hl7-v2"
# What may be chosen for a line, by its name in the form.
PARTS = {
    "orders": Part(type="ServiceRequest", changed=("status",)),
    "reports": Part(type="DiagnosticReport", criteria="status=final,amended,corrected", changed=("status", "issued")),
    "bookings": Part(type="Appointment", changed=("status", "start")),
    "visits": Part(type="Encounter", changed=("status", "location")),
    "people": Part(
        type="Patient", changed=("identifier", "name", "telecom", "address", "birthDate", "deceasedDateTime", "link")
    ),
}
_CLASSES = {"IMP": "I", "EMER": "E", "AMB": "O", "HH": "O"}
_DECLARED = {Connection.Encoding.GB18030: ("gb18030", "GB 18030-2000")}
_UTF8 = ("utf-8", "UNICODE UTF-8")


@dataclass(frozen=True, slots=True)
class Said:
    """A message without its header: type and event, and the segments after PID; `patient` when another than the focus names."""

    type: str
    segments: tuple[str, ...]
    patient: Json | None = None
    # Called off: it is told although the hospital may see the person no longer, then by our number alone.
    ended: bool = False


class HospitalMessages:
    """Writes the messages of a line."""

    def concerns(self, told: Told, *, actor: Actor) -> bool:
        """Whether the hospital is to hear of this version: it is its matter, or it may read it, and it did not write it."""
        found = _version(told, told.version, actor)
        if found is None or found.resident_id is None or _own_writing(told, actor):
            return False
        if told.type == "ServiceRequest":
            # _version reads only those that the hospital is asked for.
            return not found.received
        if told.type == "DiagnosticReport":
            return not found.received and actor.reaches(_ordered_by(found.content()))
        if told.type == "Patient":
            return PatientNumber.objects.filter(organization_id__in=actor.reach, resident_id=found.resident_id).exists()
        return not found.received and actor.reaches(found.organization_id)

    def write(self, told: Told, envelope: Envelope, *, actor: Actor, most_bytes: int) -> bytes | Silence:
        """The message in the version and the characters of the connection; silent when the hospital sees the person no longer, or nothing has happened."""
        found = _version(told, told.version, actor)
        if found is None:
            return Silence.UNSEEN
        before = _version(told, told.version - 1, actor)
        said = _WRITERS[told.type](found.content(), before.content() if before is not None else {})
        if said is None:
            return Silence.NOTHING
        patient = said.patient or _patient(found, ended=said.ended)
        if patient is None:
            return Silence.UNSEEN
        record.note_read(
            type=told.type, fhir_id=told.fhir_id, actor=actor, resident_id=found.resident_id, action="fhir.notify"
        )
        connection = exchange.connection_of(client=actor.client)
        charset, declared = _characters(connection)
        type = composing.event_of(said.type, connection.sends_version)
        head = composing.msh(
            type,
            version=connection.sends_version,
            # MSH-10 holds twenty characters; a resend keeps them.
            control_id=envelope.key.hex[:20],
            at=envelope.at,
            receiver=(connection.application, connection.facility),
            charset=declared,
        )
        body = "\r".join([head, *_event(type, envelope), pid(patient), *said.segments]) + "\r"
        return body.encode(charset, errors="replace")


def _characters(connection: Connection) -> tuple[str, str]:
    """The characters in which a system is written to, and how MSH-18 calls them: as set for it, else as it writes, else UTF-8."""
    chosen = Connection.Encoding(connection.sends_encoding)
    if chosen == Connection.Encoding.AUTO:
        chosen = Connection.Encoding(connection.encoding)
    return _DECLARED.get(chosen, _UTF8)


def _own_writing(told: Told, actor: Actor) -> bool:
    """Whether a system of the same hospital wrote the version."""
    author = stored.writer_of(type=told.type, fhir_id=told.fhir_id, version=told.version)
    if author is None or author >= 0:
        return False
    return any(-author == one.pk for one in access.list_clients(organization_ids=actor.reach))


def _ordered_by(report: Json) -> int | None:
    """The unit that asked for a report."""
    for one in report.get("basedOn", []):
        kind, _, key = str(one.get("reference", "")).partition("/")
        order = stored.fetch(type=kind, fhir_id=key) if key else None
        if order is not None and kind == "ServiceRequest":
            return order.organization_id
    return None


def _event(type: str, envelope: Envelope) -> list[str]:
    kind, _, event = type.partition("^")
    return [segment("EVN", f1=event, f2=stamp(envelope.at))] if kind == "ADT" else []


def _version(told: Told, version: int, actor: Actor) -> Stored | None:
    """A version; of a booking, visit or order of the hospital's own also when its sight of the person has just ended with it."""
    if version < 1:
        return None
    if told.type not in ("Appointment", "Encounter", "ServiceRequest"):
        return stored.fetch_version(type=told.type, fhir_id=told.fhir_id, version=version)
    with for_purpose(Purpose.EXCHANGE, actor):
        found = stored.fetch_version(type=told.type, fhir_id=told.fhir_id, version=version)
    if found is not None and told.type == "ServiceRequest":
        return found if ordering.is_asked(found.content(), actor=actor) else None
    return found if found is not None and actor.reaches(found.organization_id) else None


def _read(reference: object) -> Stored | None:
    kind, _, key = str(reference or "").partition("/")
    found = stored.fetch(type=kind, fhir_id=key) if kind and key else None
    return None if found is None or found.deleted else found


def _patient(found: Stored, *, ended: bool) -> Json | None:
    """The person as the hospital may see it now: the facts of registration, which every relationship shows."""
    try:
        resident = residents.get(resident_id=found.resident_id or 0)
    except NotFound:
        references = re.findall(r'"Patient/([^"]+)"', found.text)
        number = {"system": systems.RECORD_NUMBER, "value": references[0] if references else ""}
        return {"resourceType": "Patient", "identifier": [number]} if ended and references else None
    unit = resident.organization
    return to_patient(resident, organization_key=unit.key, organization_name=unit.name).content


def _report(content: Json, _before: Json) -> Said:
    """ORU R01: OBR, the measurements and the conclusion as OBX."""
    order = str((content.get("basedOn") or [{}])[0].get("reference", "")).partition("/")[2]
    status = {"final": "F", "amended": "C", "corrected": "C"}.get(str(content.get("status")), "P")
    head = segment(
        "OBR",
        f1="1",
        f2=_placer(content, order),
        f3=escaped(content["id"]),
        f4=coded(content.get("code")),
        f7=stamp(content.get("effectiveDateTime")),
        f22=stamp(content.get("issued")),
        f24=escaped(((content.get("category") or [{}])[0].get("coding") or [{}])[0].get("code")),
        f25=status,
        f32=escaped((content.get("resultsInterpreter") or [{}])[0].get("display")),
    )
    values = [found.content() for one in content.get("result", []) if (found := _read(one.get("reference")))]
    lines = [_value(number, one, status) for number, one in enumerate(values, start=1)]
    if content.get("conclusion"):
        critical = any(
            one.get("url") == systems.CRITICAL_RESULT and one.get("valueBoolean")
            for one in content.get("extension", [])
        )
        lines.append(
            segment(
                "OBX",
                f1=len(lines) + 1,
                f2="TX",
                f3=parts("CONCLUSION", "结论", "L"),
                f5=escaped(content["conclusion"]),
                f8="AA" if critical else "",
                f11=status,
                f14=stamp(content.get("issued")),
            )
        )
    control = segment("ORC", f1="RE", f2=_placer(content, order), f3=escaped(content["id"]))
    return Said("ORU^R01", (control, head, *lines))


def _placer(content: Json, order: str) -> str:
    """The number by which the hospital ordered, when it sent the order itself; else ours."""
    found = _read(f"ServiceRequest/{order}")
    numbers = found.content().get("identifier", []) if found is not None else []
    return escaped(numbers[0].get("value") if numbers else order)


def _value(number: int, one: Json, status: str) -> str:
    quantity = one.get("valueQuantity") or {}
    told = quantity.get("value")
    return segment(
        "OBX",
        f1=number,
        f2="NM" if told is not None else "ST",
        f3=coded(one.get("code")),
        f5=escaped(told if told is not None else one.get("valueString")),
        f6=escaped(quantity.get("unit")),
        f11=status,
        f14=stamp(one.get("effectiveDateTime")),
    )


def _booking(content: Json, before: Json) -> Said | None:
    """SIU: S12 booked, S13 another time, S15 called off, S26 not come; what is only proposed or fulfilled is not told."""
    status, earlier = str(content.get("status")), str(before.get("status", ""))
    if status == "booked":
        stood = earlier == "booked"
        event = "S13" if stood and before.get("start") != content.get("start") else "S14" if stood else "S12"
    else:
        event = {"cancelled": "S15", "noshow": "S26"}.get(status, "")
    if not event or (event == "S15" and earlier in ("proposed", "waitlist", "pending")):
        return None
    minutes = _minutes(content)
    # The hospital's own number, when the booking came from it.
    number = escaped((content.get("identifier") or [{}])[0].get("value") or content["id"])
    plan = segment(
        "SCH",
        f1=number,
        f2=number,
        f9=minutes,
        f10="MIN" if minutes else "",
        f11=f"^^{minutes}^{stamp(content.get('start'))}^{stamp(content.get('end'))}",
        f25={"S15": "CANCELLED", "S26": "NOSHOW"}.get(event, "BOOKED"),
    )
    actors = [one.get("actor", {}) for one in content.get("participant", [])]
    service = _display(actors, "HealthcareService/")
    person = _display(actors, "Practitioner/")
    lines = [segment("RGS", f1="1"), segment("AIS", f1="1", f3=parts("", service), f4=stamp(content.get("start")))]
    if person:
        lines.append(segment("AIP", f1="1", f3=parts("", person)))
    return Said(f"SIU^{event}", (plan, *lines), ended=event == "S15")


def _minutes(content: Json) -> str:
    start, end = content.get("start"), content.get("end")
    if not start or not end:
        return ""
    span = datetime.fromisoformat(str(end)) - datetime.fromisoformat(str(start))
    return str(int(span.total_seconds() // 60))


def _display(actors: list[Json], prefix: str) -> str:
    return next((str(one.get("display", "")) for one in actors if str(one.get("reference", "")).startswith(prefix)), "")


def _visit(content: Json, before: Json) -> Said | None:
    """ADT of a visit that was kept here: A01 admitted, A04 registered, A02 moved, A03 gone, A11 called off, A08 anything else."""
    status, earlier = str(content.get("status")), str(before.get("status", ""))
    kind = _CLASSES.get(str((content.get("class") or {}).get("code")), "O")
    begun = status in ("arrived", "triaged", "in-progress", "onleave")
    if begun and not earlier:
        event = "A01" if kind == "I" else "A04"
    elif begun and kind == "I" and (before.get("class") or {}).get("code") != "IMP":
        event = "A01"
    elif begun and before.get("location") and before.get("location") != content.get("location"):
        event = "A02"
    elif status == "finished" and earlier != "finished":
        event = "A03"
    elif status in ("cancelled", "entered-in-error") and earlier != status:
        event = "A11"
    else:
        event = "A08" if begun and earlier != status else ""
    if not event:
        return None
    period = content.get("period") or {}
    place = ((content.get("location") or [{}])[0].get("location") or {}).get("display")
    doctor = ((content.get("participant") or [{}])[0].get("individual") or {}).get("display")
    numbers = content.get("identifier") or [{}]
    line = segment(
        "PV1",
        f1="1",
        f2=kind,
        f3=escaped(place),
        f7=parts("", doctor) if doctor else "",
        f19=escaped(numbers[0].get("value") or content["id"]),
        f44=stamp(period.get("start")),
        f45=stamp(period.get("end")),
    )
    return Said(f"ADT^{event}", (line,), ended=event in ("A03", "A11"))


def _person(content: Json, _before: Json) -> Said | None:
    """ADT A31 when facts of a person changed; A40 when the records of one person were merged: PID stands, MRG went in."""
    link = next((one for one in content.get("link", []) if one.get("type") == "replaced-by"), None)
    if link is None:
        return Said("ADT^A31", (segment("PV1", f1="1", f2="N"),))
    standing = _read(link["other"].get("reference"))
    if standing is None:
        return None
    former = "~".join(
        parts(one.get("value"), "", "", composing.OURSELVES, "PI") for one in content.get("identifier", [])
    )
    return Said("ADT^A40", (segment("MRG", f1=former),), standing.content())


def _order(content: Json, before: Json) -> Said | None:
    told = ordering.segments(content, before)
    return None if told is None else Said("ORM^O01", told, ended=str(content.get("status")) != "active")


_WRITERS: dict[str, Callable[[Json, Json], Said | None]] = {
    "ServiceRequest": _order,
    "DiagnosticReport": _report,
    "Appointment": _booking,
    "Encounter": _visit,
    "Patient": _person,
}
