"""ORU: reports as DiagnosticReport, their lines as Observation (HL7 v2.5.1 chapter 7)."""

import base64
import binascii
from datetime import datetime
from decimal import Decimal

from doorstep.coordination.hospital_systems import quantities
from doorstep.coordination.hospital_systems.v2 import tables
from doorstep.coordination.hospital_systems.v2.encounters import person_name, reference_of
from doorstep.coordination.hospital_systems.v2.orders import notes_of
from doorstep.coordination.hospital_systems.v2.reading import Read, Segment
from doorstep.coordination.hospital_systems.v2.times import fhir_time, moment_of
from doorstep.coordination.hospital_systems.writing import Writer
from doorstep.kernel.exchange.formats import Fault
from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.fhir.elements import Json

_CRITICAL = {"LL", "HH", "AA"}
_MEDIA = {
    "PDF": "application/pdf",
    "JPEG": "image/jpeg",
    "JPG": "image/jpeg",
    "PNG": "image/png",
    "RTF": "application/rtf",
}
# What a report carries inside stays inside up to here; larger files belong in the archive.
LARGEST_FORM = 5 * 1024 * 1024


def write(read: Read, writer: Writer) -> None:
    """Write every report of a message."""
    groups = read.groups("OBR")
    if not groups:
        raise Fault("segment-missing", "OBR")
    encounter = reference_of(read, writer)
    common = read.first("ORC")
    for group in groups:
        _write_report(group, common, writer, encounter)


def _write_report(group: list[Segment], common: Segment | None, writer: Writer, encounter: Json | None) -> None:
    head = group[0]
    placer = head.text(2) or (common.text(2) if common is not None else "")
    filler = head.text(3) or (common.text(3) if common is not None else "")
    if not placer and not filler:
        raise Fault("order-number-missing", "OBR-3")
    # One filler number may carry several batteries.
    thing = f"{filler or placer}|{head.text(4)}"
    taken = moment_of(head.text(7)) or moment_of(head.text(14))
    lines = _lines(group)
    references = [
        _write_line(line, position, thing, writer, encounter=encounter, taken=taken)
        for position, line in enumerate(lines, start=1)
    ]
    issued = moment_of(head.text(22)) or writer.event_at
    signer = head.text(32, 2) or person_name(head, 32)
    based = writer.present("ServiceRequest", placer) if placer else None
    critical = any(_flags(line[0]) & _CRITICAL for line in lines)
    resource = elements.compact(
        {
            "resourceType": "DiagnosticReport",
            "extension": [elements.extension(systems.CRITICAL_RESULT, valueBoolean=True)] if critical else [],
            "identifier": [writer.number("report", filler or placer)],
            "basedOn": [{"reference": f"ServiceRequest/{based['id']}"}] if based else [],
            "status": tables.decided(
                writer.task, tables.REPORT_STATUS, table="report-status", code=head.text(25) or "F", place="OBR-25"
            ),
            "category": [elements.concept("http://terminology.hl7.org/CodeSystem/v2-0074", head.text(24))]
            if head.text(24)
            else [],
            "code": tables.concept(
                writer.task, table="report", code=head.text(4), display=head.text(4, 2), system=head.text(4, 3)
            ),
            "subject": writer.patient,
            "encounter": encounter,
            "effectiveDateTime": elements.instant(taken) if taken else None,
            "issued": elements.instant(issued),
            "resultsInterpreter": [{"display": signer}] if signer else [],
            "result": [{"reference": one} for one in references if one],
            "conclusion": "\n".join(one["text"] for one in notes_of(_before_lines(group))),
            "presentedForm": [form for line in lines if (form := _form(line[0]))],
        }
    )
    if not resource.get("code"):
        raise Fault("field-missing", "OBR-4")
    writer.put(resource, thing=thing, occurred_at=taken or issued)


def _lines(group: list[Segment]) -> list[list[Segment]]:
    """Each OBX with the notes that follow it."""
    lines: list[list[Segment]] = []
    for segment in group[1:]:
        if segment.name == "OBX":
            lines.append([segment])
        elif lines and segment.name == "NTE":
            lines[-1].append(segment)
    return lines


def _before_lines(group: list[Segment]) -> list[Segment]:
    first = next((position for position, one in enumerate(group) if one.name == "OBX"), len(group))
    return group[:first]


def _write_line(
    line: list[Segment], position: int, report: str, writer: Writer, *, encounter: Json | None, taken: datetime | None
) -> str:
    segment = line[0]
    if segment.text(2).upper() in ("ED", "RP"):
        return ""
    if not segment.text(3) and not segment.text(3, 2):
        raise Fault("field-missing", "OBX-3")
    thing = f"{report}|{segment.text(3)}|{segment.text(4) or position}"
    status = tables.decided(
        writer.task,
        tables.OBSERVATION_STATUS,
        table="observation-status",
        code=segment.text(11) or "F",
        place="OBX-11",
    )
    value = {} if status == "cancelled" else _value(segment, writer)
    moment = moment_of(segment.text(14)) or taken
    observer = person_name(segment, 16)
    resource = elements.compact(
        {
            "resourceType": "Observation",
            "identifier": [writer.number("observation", thing)],
            "status": status,
            "category": [elements.concept(systems.OBSERVATION_CATEGORY, "laboratory", "Laboratory")],
            "code": tables.concept(
                writer.task, table="item", code=segment.text(3), display=segment.text(3, 2), system=segment.text(3, 3)
            ),
            "subject": writer.patient,
            "encounter": encounter,
            "effectiveDateTime": elements.instant(moment) if moment else None,
            "performer": [{"display": observer}] if observer else [],
            **value,
            "dataAbsentReason": None
            if value
            else elements.concept("http://terminology.hl7.org/CodeSystem/data-absent-reason", "unknown", "Unknown"),
            "interpretation": [
                elements.concept(tables.INTERPRETATION_SYSTEM, code) for code in sorted(_flags(segment))
            ],
            "note": notes_of(line),
            "referenceRange": _range(segment, writer),
        }
    )
    return writer.put(resource, thing=thing, occurred_at=moment)


def _flags(segment: Segment) -> set[str]:
    given = (segment.text(8, repetition=number).upper() for number in segment.repetitions(8))
    return {tables.INTERPRETATION[code] for code in given if code in tables.INTERPRETATION}


def _value(segment: Segment, writer: Writer) -> Json:
    kind, text = segment.text(2).upper(), segment.text(5)
    if kind == "SN":
        return _structured(segment, writer)
    if not segment.whole(5):
        return {}
    if kind == "NM":
        number = quantities.number_of(text)
        return {"valueQuantity": _quantity(number, segment, writer)} if number is not None else {"valueString": text}
    if kind in ("CE", "CWE", "CF", "CNE", "IS", "ID"):
        return {
            "valueCodeableConcept": tables.concept(
                writer.task, table="answer", code=text, display=segment.text(5, 2), system=segment.text(5, 3)
            )
        }
    if kind in ("DT", "TS", "DTM"):
        return {"valueDateTime": fhir_time(text)} if fhir_time(text) else {"valueString": text}
    return _words(segment, writer)


def _words(segment: Segment, writer: Writer) -> Json:
    """Text, in which many laboratories also send plain numbers and bounds such as <0.01."""
    words = "\n".join(segment.whole(5, repetition=number) for number in segment.repetitions(5))
    bound = quantities.bound_of(words)
    if bound is not None and segment.text(6):
        return {"valueQuantity": _quantity(bound[1], segment, writer, bound[0])}
    number = quantities.number_of(words)
    if number is not None and segment.text(6):
        return {"valueQuantity": _quantity(number, segment, writer)}
    return {"valueString": words}


def _structured(segment: Segment, writer: Writer) -> Json:
    """SN: comparator, number, separator, number."""
    first, second = quantities.number_of(segment.text(5, 2)), quantities.number_of(segment.text(5, 4))
    if first is None:
        return {"valueString": segment.whole(5)} if segment.whole(5) else {}
    comparator, separator = segment.text(5, 1), segment.text(5, 3)
    if second is not None and separator == ":":
        whole, part = ({"value": quantities.plain(number)} for number in (first, second))
        return {"valueRatio": {"numerator": whole, "denominator": part}}
    if second is not None:
        return {"valueRange": {"low": _quantity(first, segment, writer), "high": _quantity(second, segment, writer)}}
    return {"valueQuantity": _quantity(first, segment, writer, quantities.comparator_of(comparator))}


def _quantity(number: Decimal, segment: Segment, writer: Writer, comparator: str = "") -> Json:
    unit, display = _unit(segment)
    return quantities.quantity(writer.task, number, unit=unit, display=display, comparator=comparator)


def _range(segment: Segment, writer: Writer) -> list[Json]:
    unit, display = _unit(segment)
    return quantities.reference_range(writer.task, segment.whole(7), unit=unit, display=display)


def _unit(segment: Segment) -> tuple[str, str]:
    """The unit and its words. Many laboratories leave the caret of 10^9/L bare, which cuts it into two components."""
    unit, words = segment.text(6), segment.text(6, 2)
    if unit.endswith("10") and words[:1].isdecimal():
        return f"{unit}^{words}", ""
    return unit, words


def _form(segment: Segment) -> Json | None:
    """ED: source, type of data, subtype, encoding, data."""
    if segment.text(2).upper() != "ED" or segment.text(5, 4).upper() != "BASE64":
        return None
    data = segment.text(5, 5)
    try:
        size = len(base64.b64decode(data, validate=True))
    except (binascii.Error, ValueError) as error:
        raise Fault("attachment-unreadable", "OBX-5") from error
    if size > LARGEST_FORM:
        raise Fault("attachment-too-large", "OBX-5")
    media = _MEDIA.get(segment.text(5, 3).upper(), "application/octet-stream")
    return elements.compact({"contentType": media, "data": data, "title": segment.text(3, 2)})
