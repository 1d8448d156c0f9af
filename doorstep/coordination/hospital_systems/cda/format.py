"""A shared document in the record: the document itself as DocumentReference, its parts as Composition, its results as Observations."""

import base64
from dataclasses import dataclass
from html import escape

from doorstep.coordination.hospital_systems import people, quantities
from doorstep.coordination.hospital_systems.cda import catalogue, secrets
from doorstep.coordination.hospital_systems.cda.reading import Coded, Document, Result, Section, Sort, parse
from doorstep.coordination.hospital_systems.people import Claim
from doorstep.coordination.hospital_systems.v2 import tables
from doorstep.coordination.hospital_systems.v2.times import fhir_time
from doorstep.coordination.hospital_systems.writing import Writer
from doorstep.kernel.exchange.formats import Fault, Format, Keys, Outcome, Task
from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.fhir.elements import Json
from doorstep.kernel.terminology import sensitivity
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
    secret = _Secrecy.of(document)
    sections = [
        _section(section, number, document, writer, secret) for number, section in enumerate(document.sections, start=1)
    ]
    composition: Json = {
        "resourceType": "Composition",
        "identifier": writer.number("document", document.number),
        "status": "final",
        "type": kind,
        "subject": writer.patient,
        "date": elements.instant(event_at),
        "author": [author],
        "confidentiality": secret.code,
        "title": document.title or kind["text"],
        "custodian": {"display": document.custodian or task.actor.organization_name},
        "section": sections,
    }
    reference = secret.put(writer, elements.compact(composition), thing=document.number)
    secret.put(writer, _reference(composition, data, reference, secret), thing=document.number)
    return writer.close()


def _reference(composition: Json, data: bytes, reference: str, secret: "_Secrecy") -> Json:
    """The DocumentReference that carries the document itself; `reference` leads to its Composition."""
    attachment = {
        "contentType": "text/xml",
        "language": "zh-CN",
        "data": base64.b64encode(data).decode(),
        "title": composition["title"],
        "creation": composition["date"],
    }
    return {
        "resourceType": "DocumentReference",
        "masterIdentifier": composition["identifier"],
        "status": "current",
        "docStatus": "final",
        "type": composition["type"],
        "subject": composition["subject"],
        "date": composition["date"],
        "author": composition["author"],
        "securityLabel": [elements.concept(sensitivity.CONFIDENTIALITY, secret.code)] if secret.code else [],
        "content": [{"attachment": attachment}],
        "context": {"related": [{"reference": reference}]},
    }


@dataclass(frozen=True, slots=True)
class _Secrecy:
    """How secret a whole document is: as its sender says, and restricted where any part is coded with, or tells of, a sensitive diagnosis.

    The words of a document name what its codes say, so one such code or word veils every part of it.
    """

    code: str
    labels: tuple[str, ...]

    @classmethod
    def of(cls, document: Document) -> "_Secrecy":
        """What the header and the codes of all sections make of it."""
        found = [one for section in document.sections for one in section.results if one.answer and is_icd10(one)]
        codings = [elements.coding(systems.ICD10, one.answer.code, "") for one in found if one.answer]
        words = (text for one in document.sections for text in (one.title, one.text, *_words(one)))
        labels = tuple(sorted({*sensitivity.labels_of({"coding": codings}), *secrets.labels_in(words)}))
        said = document.secrecy if document.secrecy in ("R", "V") else ""
        return cls(code=said or ("R" if labels else ""), labels=labels)

    def put(self, writer: Writer, resource: Json, *, thing: str) -> str:
        """Write a part of the document, marked like the whole; returns its reference."""
        if not self.code:
            return writer.put(resource, thing=thing)
        marked = {**resource, "meta": {"security": [{"system": sensitivity.CONFIDENTIALITY, "code": self.code}]}}
        marked = sensitivity.labelled(marked, self.labels, house=systems.SENSITIVITY)
        return writer.put(marked, thing=thing, sensitive=True)


def _words(section: Section) -> list[str]:
    """What the answers of a section say in words."""
    return [f"{one.code.display}：{one.value}" for one in section.results if one.sort in (Sort.CODE, Sort.WORDS)]


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


def _section(section: Section, number: int, document: Document, writer: Writer, secret: "_Secrecy") -> Json:
    """A section with its words; one that nobody here knows keeps its own code and everything that it says."""
    system = _SYSTEMS.get(section.code.system) or (f"urn:oid:{section.code.system}" if section.code.system else "")
    code = elements.concept(system, section.code.code, section.code.display) if section.code.code else None
    references = [
        secret.put(
            writer,
            _observation(result, writer, f"{document.number}|{number}|{place}"),
            thing=f"{document.number}|{number}|{place}",
        )
        for place, result in enumerate(section.results, start=1)
    ]
    title = section.title or catalogue.SECTIONS.get(section.code.code, "") or section.code.display or section.code.code
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
    task = writer.task
    flag = tables.INTERPRETATION.get(result.flag)
    return elements.compact(
        {
            "resourceType": "Observation",
            "identifier": [writer.number("document-result", thing)],
            "status": "final",
            "code": _item(result.code, task),
            "subject": writer.patient,
            "effectiveDateTime": elements.instant(result.at or writer.event_at),
            **_value(result, task),
            "interpretation": [elements.concept(tables.INTERPRETATION_SYSTEM, flag)] if flag else [],
            "referenceRange": _range(result, task),
        }
    )


def _item(code: Coded, task: Task) -> Json:
    """What was observed: an element of the national catalogue says itself what it is, every other code goes through the mapping table."""
    if code.system == catalogue.DATA_ELEMENTS:
        return elements.concept(f"urn:oid:{code.system}", code.code, code.display)
    system = {catalogue.LOINC: "LN"}.get(code.system, "")
    return tables.concept(task, table="item", code=code.code, display=code.display, system=system)


def _value(result: Result, task: Task) -> Json:
    number = quantities.number_of(result.value) if result.sort == Sort.NUMBER else None
    found: Json = {"valueString": f"{result.value}{result.unit}"}
    if number is not None:
        found = {"valueQuantity": quantities.quantity(task, number, unit=result.unit)}
    elif result.sort == Sort.RANGE:
        found = _span(result, task)
    elif result.sort == Sort.CODE and result.answer is not None:
        found = {"valueCodeableConcept": _answer(result.answer, task, icd10=is_icd10(result))}
    elif result.sort == Sort.TIME:
        found = {"valueDateTime": fhir_time(result.value)}
    elif result.sort == Sort.TRUTH:
        found = {"valueBoolean": result.value == "true"}
    return found


def _answer(answer: Coded, task: Task, *, icd10: bool) -> Json:
    if icd10:
        return elements.concept(systems.ICD10, answer.code, answer.display)
    if answer.system and answer.system != catalogue.LOINC and answer.code:
        return elements.concept(f"urn:oid:{answer.system}", answer.code, answer.display)
    system = {catalogue.LOINC: "LN"}.get(answer.system, "")
    return tables.concept(task, table="answer", code=answer.code, display=answer.display, system=system)


def _span(result: Result, task: Task) -> Json:
    """A value between two bounds, or one with a comparator: what lies under 0.01 is not 0.01."""
    bounds = [(quantities.number_of(text), within) for text, within in (result.least, result.most)]
    low, high = (
        quantities.quantity(
            task,
            number,
            unit=result.unit,
            # With two bounds each stands for itself.
            comparator="" if None not in (bounds[0][0], bounds[1][0]) else sign + ("=" if within else ""),
        )
        if number is not None
        else None
        for (number, within), sign in zip(bounds, "><", strict=True)
    )
    if low is not None and high is not None:
        return {"valueRange": {"low": low, "high": high}}
    if low is None and high is None:
        return {"valueString": f"{result.value}{result.unit}"}
    return {"valueQuantity": low or high}


def _range(result: Result, task: Task) -> list[Json]:
    low, high = (quantities.number_of(text) for text in (result.low, result.high))
    if low is None and high is None:
        return quantities.reference_range(task, result.span, unit=result.unit)
    bounds = {
        name: quantities.quantity(task, number, unit=result.unit)
        for name, number in (("low", low), ("high", high))
        if number is not None
    }
    return [{**bounds, **({"text": result.span} if result.span else {})}]


def is_icd10(result: Result) -> bool:
    """Whether the answer is a code of ICD-10: by the number of its system, by what its sender calls it, or by what was asked."""
    answer = result.answer
    if answer is None or not answer.code:
        return False
    named = answer.system_name.upper().replace("-", "").replace(" ", "")
    by_name = named.startswith("ICD10")
    return answer.system in catalogue.ICD10 or by_name or result.code.code in catalogue.DIAGNOSIS_CODES


CDA = Format(types=frozenset({TYPE}), keys=keys_of, apply=apply)
