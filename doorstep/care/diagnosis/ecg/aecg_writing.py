"""Write a recording as HL7 annotated ECG, for exchange, demonstration and tests."""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import NAMESPACE_OID, uuid5
from xml.etree.ElementTree import Element, SubElement, indent, register_namespace, tostring

from doorstep.care.diagnosis.ecg.aecg import LEAD_CODE, NAMESPACE, XSI_TYPE
from doorstep.care.diagnosis.ecg.recording import LEADS, PatientFacts, Recording
from doorstep.care.diagnosis.ecg.units import CART_ZONE

_MDC: Final = "2.16.840.1.113883.6.24"
_SEX_CODES: Final = {"male": "M", "female": "F", None: "UN"}
_RESIDENT_ID: Final = "1.2.156.112636.1.1"

register_namespace("", NAMESPACE)
register_namespace("xsi", "http://www.w3.org/2001/XMLSchema-instance")


def to_aecg(recording: Recording, *, patient: PatientFacts | None = None) -> bytes:
    """The recording as an aECG document in UTF-8, with `patient` in place of the recording's own person when given.

    Only waveform, device, time and the named person are written. Deterministic: the same input gives the same bytes.
    """
    person = patient if patient is not None else recording.patient
    taken_at = recording.taken_at or datetime(2000, 1, 1, tzinfo=UTC)
    root = Element(_tag("AnnotatedECG"))
    _add(root, "id", root=str(uuid5(NAMESPACE_OID, recording.instance_id + taken_at.isoformat())))
    _add(root, "code", code="93000", codeSystem="2.16.840.1.113883.6.12", codeSystemName="CPT-4")
    _add_period(root, taken_at, recording.duration)
    _add_person(root, person)
    series = _add(_add(root, "component"), "series")
    _add(series, "id", root=str(uuid5(NAMESPACE_OID, "series" + recording.instance_id + taken_at.isoformat())))
    _add(series, "code", code="RHYTHM", codeSystem="2.16.840.1.113883.5.4")
    _add_period(series, taken_at, recording.duration)
    _add_device(series, recording)
    _add_waveform(series, recording, taken_at)
    indent(root, space=" ")
    document: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _add_person(root: Element, person: PatientFacts) -> None:
    event = _add(_add(root, "componentOf"), "timepointEvent")
    assignment = _add(_add(event, "componentOf"), "subjectAssignment")
    subject = _add(_add(assignment, "subject"), "trialSubject")
    identifier = person.patient_id or person.national_id
    _add(subject, "id", root=_RESIDENT_ID, **({"extension": identifier} if identifier else {}))
    _add(subject, "code", code="SUBJECT")
    demographic = _add(subject, "subjectDemographicPerson")
    if person.name:
        _add(demographic, "name").text = person.name
    _add(demographic, "administrativeGenderCode", code=_SEX_CODES[person.sex], codeSystem="2.16.840.1.113883.5.1")
    if person.birth_date:
        _add(demographic, "birthTime", value=person.birth_date.strftime("%Y%m%d"))


def _add_device(series: Element, recording: Recording) -> None:
    author = _add(_add(series, "author"), "seriesAuthor")
    device = _add(author, "manufacturedSeriesDevice")
    _add(device, "id", root=_RESIDENT_ID, extension=recording.device.serial or "")
    _add(device, "manufacturerModelName").text = recording.device.model or ""
    _add(_add(author, "manufacturerOrganization"), "name").text = recording.device.manufacturer or ""


def _add_waveform(series: Element, recording: Recording, taken_at: datetime) -> None:
    sequences = _add(_add(series, "component"), "sequenceSet")
    time = _add(_add(sequences, "component"), "sequence")
    _add(time, "code", code="TIME_ABSOLUTE", codeSystem="2.16.840.1.113883.5.4")
    clock = _add(time, "value", {XSI_TYPE: "GLIST_TS"})
    _add(clock, "head", value=_stamp(taken_at))
    _add(clock, "increment", value=f"{1 / recording.sampling_hz:.9g}", unit="s")
    for name, row in zip(LEADS, recording.samples, strict=True):
        sequence = _add(_add(sequences, "component"), "sequence")
        _add(sequence, "code", code=LEAD_CODE + name.upper(), codeSystem=_MDC, codeSystemName="MDC")
        value = _add(sequence, "value", {XSI_TYPE: "SLIST_PQ"})
        _add(value, "origin", value="0", unit="uV")
        _add(value, "scale", value="1", unit="uV")
        _add(value, "digits").text = " ".join(map(str, row.tolist()))


def _add_period(parent: Element, start: datetime, seconds: float) -> None:
    period = _add(parent, "effectiveTime")
    _add(period, "low", value=_stamp(start), inclusive="true")
    _add(period, "high", value=_stamp(start + timedelta(seconds=seconds)), inclusive="false")


def _add(parent: Element, name: str, extra: dict[str, str] | None = None, /, **attributes: str) -> Element:
    return SubElement(parent, _tag(name), {**(extra or {}), **attributes})


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _stamp(moment: datetime) -> str:
    local = moment.astimezone(CART_ZONE)
    return f"{local:%Y%m%d%H%M%S}.{local.microsecond // 1000:03d}{local:%z}"
