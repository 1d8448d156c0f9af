"""A shared document in the record: the document itself as DocumentReference, its parts as Composition, its results as Observations."""

import base64
from decimal import Decimal, InvalidOperation
from html import escape

from doorstep.coordination.hospital_systems import people
from doorstep.coordination.hospital_systems.cda import catalogue
from doorstep.coordination.hospital_systems.cda.reading import Coded, Document, Result, Section, parse
from doorstep.coordination.hospital_systems.people import Claim
from doorstep.coordination.hospital_systems.v2 import tables
from doorstep.coordination.hospital_systems.writing import Writer
from doorstep.kernel.exchange.formats import Fault, Format, Keys, Outcome, Task
from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.fhir.elements import Json
from doorstep.people.residents.rules import is_whole_number

TYPE = "CDA"
_SYSTEMS = {catalogue.LOINC: systems.LOINC}


def keys_of(text: str) -> Keys:
    """The patient's numbers; a document that cannot be read has none and is told so when it is worked."""
    try:
        numbers = parse(text.encode()).numbers
    except Fault:
        return Keys(lane="")
    own = next((number for number in numbers if not is_whole_number(number)), "")
    return Keys(lane=own or (numbers[0] if numbers else ""), numbers=numbers)


def apply(task: Task) -> Outcome:
    """Write a document; raises Fault."""
    data = task.message.body.encode()
    document = parse(data)
    task.message.event_at = event_at = document.written_at or task.message.received_at
    writer = Writer(task, people.find(_claim(document), task), event_at=event_at)
    kind = _kind_of(document.code, task)
    author = {"display": document.author or document.custodian or task.actor.organization_name}
    sections = [
        _section(section, number, document, writer) for number, section in enumerate(document.sections, start=1)
    ]
    composition: Json = {
        "resourceType": "Composition",
        "identifier": writer.number("document", document.number),
        "status": "final",
        "type": kind,
        "subject": writer.patient,
        "date": elements.instant(event_at),
        "author": [author],
        "title": document.title or kind["text"],
        "custodian": {"display": document.custodian or task.actor.organization_name},
        "section": sections,
    }
    reference = writer.put(elements.compact(composition), thing=document.number)
    attachment = {
        "contentType": "text/xml",
        "language": "zh-CN",
        "data": base64.b64encode(data).decode(),
        "title": composition["title"],
        "creation": elements.instant(event_at),
    }
    writer.put(
        {
            "resourceType": "DocumentReference",
            "masterIdentifier": writer.number("document", document.number),
            "status": "current",
            "docStatus": "final",
            "type": kind,
            "subject": writer.patient,
            "date": elements.instant(event_at),
            "author": [author],
            "content": [{"attachment": attachment}],
            "context": {"related": [{"reference": reference}]},
        },
        thing=document.number,
    )
    return writer.close()


def _claim(document: Document) -> Claim:
    return Claim(
        numbers=document.numbers,
        name=document.name,
        birth_date=document.birth_date,
        place="patientRole.id",
        name_place="patient.name",
    )


def _kind_of(code: Coded, task: Task) -> Json:
    known = catalogue.KINDS.get(code.code)
    if known is None:
        if not code.code:
            raise Fault("field-missing", "ClinicalDocument.code")
        return tables.concept(task, table="document", code=code.code, display=code.display)
    own = elements.coding(f"urn:oid:{catalogue.DOCUMENT_CODES}", known.code, known.title)
    return {"coding": [own, elements.coding(systems.LOINC, known.loinc, known.loinc_name)], "text": known.title}


def _section(section: Section, number: int, document: Document, writer: Writer) -> Json:
    """A section with its words; one that nobody here knows keeps its own code and everything that it says."""
    system = _SYSTEMS.get(section.code.system) or (f"urn:oid:{section.code.system}" if section.code.system else "")
    code = elements.concept(system, section.code.code, section.code.display) if section.code.code else None
    references = [
        writer.put(
            _observation(result, writer, f"{document.number}|{number}|{place}"),
            thing=f"{document.number}|{number}|{place}",
        )
        for place, result in enumerate(section.results, start=1)
    ]
    title = section.title or section.code.display or section.code.code
    return elements.compact(
        {
            "title": title,
            "code": code,
            "text": {"status": "additional", "div": narrative(section.text or title)},
            "entry": [{"reference": one} for one in references],
        }
    )


def narrative(text: str) -> str:
    """Words as XHTML that carries nothing but words."""
    lines = "".join(f"<p>{escape(line, quote=False)}</p>" for line in text.split("\n") if line.strip())
    return f'<div xmlns="http://www.w3.org/1999/xhtml">{lines}</div>'


def _observation(result: Result, writer: Writer, thing: str) -> Json:
    system = {catalogue.LOINC: "LN"}.get(result.code.system, "")
    number = _number(result.value)
    value: Json = {"valueString": f"{result.value}{result.unit}"}
    if number is not None:
        value = {"valueQuantity": elements.compact({"value": float(number), "unit": result.unit})}
    low, high = _number(result.low), _number(result.high)
    span = elements.compact(
        {
            "low": {"value": float(low), "unit": result.unit} if low is not None and result.unit else None,
            "high": {"value": float(high), "unit": result.unit} if high is not None and result.unit else None,
        }
    )
    return elements.compact(
        {
            "resourceType": "Observation",
            "identifier": [writer.number("document-result", thing)],
            "status": "final",
            "code": tables.concept(
                writer.task, table="item", code=result.code.code, display=result.code.display, system=system
            ),
            "subject": writer.patient,
            "effectiveDateTime": elements.instant(result.at or writer.event_at),
            **value,
            "referenceRange": [span] if span else [],
        }
    )


def _number(text: str) -> Decimal | None:
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


CDA = Format(types=frozenset({TYPE}), keys=keys_of, apply=apply)
