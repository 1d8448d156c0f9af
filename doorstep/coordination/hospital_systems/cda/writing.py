"""A Composition of the record as a shared document (WS/T 500-2016), for systems that take nothing else."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

from lxml import etree

from doorstep.coordination.hospital_systems.cda import catalogue
from doorstep.kernel.fhir import systems
from doorstep.people.residents.presenters import value_text

_NAMES: Any = {None: catalogue.NAMESPACE, "xsi": "http://www.w3.org/2001/XMLSchema-instance"}
_CHINA = ZoneInfo("Asia/Shanghai")
_SECRECY = {"N": "正常访问保密级别", "R": "受限访问保密级别", "V": "非常受限访问保密级别"}
_GENDER = {"male": ("1", "男性"), "female": ("2", "女性"), "other": ("9", "未说明的性别")}
_PARAGRAPH = re.compile(r"</p>|<br ?/?>")
_OID = re.compile(r"[0-2](\.[0-9]+)+")
_TAG = re.compile(r"<[^>]+>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whose document it is."""

    number: str
    record_number: str
    name: str
    gender: str
    birth_date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Custodian:
    """The organisation that answers for the document."""

    code: str
    name: str


def to_cda(
    composition: dict[str, Any],
    *,
    subject: Subject,
    custodian: Custodian,
    results: Mapping[str, Mapping[str, Any]] | None = None,
) -> bytes:
    """The document as UTF-8 XML; its kind follows the Composition's type. results: the Observations of its sections, by reference."""
    kind = _kind_of(composition)
    root = etree.Element(f"{{{catalogue.NAMESPACE}}}ClinicalDocument", nsmap=_NAMES)
    add(root, "realmCode", code="CN")
    add(root, "typeId", root="2.16.840.1.113883.1.3", extension="POCD_MT000040")
    add(root, "templateId", root=kind.template)
    add(root, "id", root=catalogue.DOCUMENT_IDS, extension=str(composition["id"]))
    name = "卫生信息共享文档规范编码体系"
    add(root, "code", code=kind.code, codeSystem=catalogue.DOCUMENT_CODES, codeSystemName=name)
    add(root, "title", str(composition.get("title") or kind.title))
    written = _stamp(str(composition.get("date", "")))
    add(root, "effectiveTime", value=written)
    secrecy = _secrecy(composition)
    add(
        root,
        "confidentialityCode",
        code=secrecy,
        codeSystem=catalogue.CONFIDENTIALITY,
        displayName=_SECRECY[secrecy],
    )
    add(root, "languageCode", code="zh-CN")
    add(root, "setId", root=catalogue.DOCUMENT_IDS, extension=str(composition["id"]))
    add(root, "versionNumber", value=str(composition.get("meta", {}).get("versionId", "1")))
    _add_subject(root, subject, custodian)
    _add_author(root, composition, written)
    keeper = add(add(root, "custodian"), "assignedCustodian")
    _add_organization(keeper, "representedCustodianOrganization", custodian)
    body = add(add(root, "component"), "structuredBody")
    for section in composition.get("section", []):
        _add_section(body, section, results or {})
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def add(parent: etree._Element, name: str, text: str = "", **attributes: str) -> etree._Element:
    """Append one element of the namespace."""
    made = etree.SubElement(
        parent, f"{{{catalogue.NAMESPACE}}}{name}", {key: value for key, value in attributes.items() if value}
    )
    if text:
        made.text = text
    return made


def _secrecy(composition: Mapping[str, Any]) -> str:
    """The strictest that the document or its entry in the record says."""
    said = {one.get("code") for one in composition.get("meta", {}).get("security", [])} | {
        composition.get("confidentiality")
    }
    return next((code for code in ("V", "R") if code in said), "N")


def _kind_of(composition: dict[str, Any]) -> catalogue.Kind:
    codes = {one.get("code", "") for one in composition.get("type", {}).get("coding", [])}
    exact = next((catalogue.KINDS[code] for code in codes if code in catalogue.KINDS), None)
    same = next((kind for kind in reversed(catalogue.KINDS.values()) if kind.loinc in codes), None)
    return exact or same or catalogue.KINDS["C0002"]


def _add_subject(root: etree._Element, subject: Subject, custodian: Custodian) -> None:
    role = add(add(root, "recordTarget", typeCode="RCT", contextControlCode="OP"), "patientRole", classCode="PAT")
    if subject.record_number:
        add(role, "id", root=systems.RECORD_NUMBER.removeprefix("urn:oid:"), extension=subject.record_number)
    patient = add(role, "patient", classCode="PSN", determinerCode="INSTANCE")
    if subject.number:
        add(patient, "id", root=catalogue.NATIONAL_ID, extension=subject.number)
    add(patient, "name", subject.name)
    code, words = _GENDER.get(subject.gender, ("0", "未知的性别"))
    add(patient, "administrativeGenderCode", code=code, codeSystem=catalogue.GENDER, displayName=words)
    add(patient, "birthTime", value=f"{subject.birth_date:%Y%m%d}")
    _add_organization(role, "providerOrganization", custodian)


def _add_author(root: etree._Element, composition: dict[str, Any], written: str) -> None:
    author = add(root, "author", typeCode="AUT", contextControlCode="OP")
    add(author, "time", value=written)
    assigned = add(author, "assignedAuthor", classCode="ASSIGNED")
    who: dict[str, Any] = next(iter(composition.get("author", [])), {})
    number = str(who.get("reference", "")).rpartition("/")[2]
    add(assigned, "id", root=catalogue.STAFF_NUMBER, extension=number or "—")
    add(add(assigned, "assignedPerson"), "name", str(who.get("display", "")))


def _add_organization(parent: etree._Element, name: str, custodian: Custodian) -> None:
    made = add(parent, name, classCode="ORG", determinerCode="INSTANCE")
    add(made, "id", root=catalogue.ORGANIZATION_CODE, extension=custodian.code)
    add(made, "name", custodian.name)


def _add_section(body: etree._Element, section: dict[str, Any], results: Mapping[str, Mapping[str, Any]]) -> None:
    made = add(add(body, "component"), "section")
    coding = next(iter(section.get("code", {}).get("coding", [])), None)
    if coding is not None:
        _add_code(made, coding, "")
    add(made, "title", str(section.get("title", "")))
    text = add(made, "text")
    for line in words_of(str(section.get("text", {}).get("div", ""))):
        add(text, "paragraph", line)
    for entry in section.get("entry", []):
        found = results.get(str(entry.get("reference", "")))
        if found is not None:
            _add_result(add(made, "entry"), found)


def _add_code(parent: etree._Element, coding: Mapping[str, Any], words: str) -> None:
    """A code with its system as CDA names it; a system that is no OID has no name there."""
    known = _oid(str(coding.get("system", "")))
    add(parent, "code", code=str(coding.get("code", "")), codeSystem=known, displayName=coding.get("display") or words)


def _add_result(entry: etree._Element, observation: Mapping[str, Any]) -> None:
    """One Observation: a number with its unit and range as PQ, words as ST; the parts of a panel inside it."""
    made = add(entry, "observation", classCode="OBS", moodCode="EVN")
    code = observation.get("code", {})
    _add_code(made, next(iter(code.get("coding", [])), {}), str(code.get("text", "")))
    add(made, "statusCode", code="completed")
    if moment := _stamp(str(observation.get("effectiveDateTime", ""))):
        add(made, "effectiveTime", value=moment)
    _add_value(made, observation)
    for concept in observation.get("interpretation", []):
        for coding in concept.get("coding", [])[:1]:
            add(made, "interpretationCode", code=str(coding.get("code", "")), codeSystem=catalogue.INTERPRETATION)
    span: Mapping[str, Any] = next(iter(observation.get("referenceRange", [])), {})
    if span.keys() & {"low", "high", "text"}:
        held = add(add(made, "referenceRange"), "observationRange")
        if span.get("text"):
            add(held, "text", str(span["text"]))
        if "low" in span or "high" in span:
            _bounds(add(held, "value"), span)
    for part in observation.get("component", []):
        _add_result(add(made, "entryRelationship", typeCode="COMP"), part)


def _add_value(made: etree._Element, observation: Mapping[str, Any]) -> None:
    """The value in the type that says the same in CDA: a bound is an interval, a code keeps its system, and words are what remains."""
    quantity, concept = observation.get("valueQuantity", {}), observation.get("valueCodeableConcept", {})
    coding = next((one for one in reversed(concept.get("coding", [])) if one.get("code")), None)
    if quantity.get("value") is not None and quantity.get("comparator"):
        sign = str(quantity["comparator"])
        side = "high" if sign.startswith("<") else "low"
        _bounds(add(made, "value"), {side: quantity}, inclusive=sign.endswith("="))
    elif quantity.get("value") is not None:
        _typed(add(made, "value", value=figure(quantity["value"]), unit=_unit(quantity)), "PQ")
    elif "valueRange" in observation:
        _bounds(add(made, "value"), observation["valueRange"])
    elif coding is not None:
        system = _oid(str(coding.get("system", "")))
        words = str(concept.get("text") or coding.get("display", ""))
        _typed(add(made, "value", code=str(coding["code"]), codeSystem=system, displayName=words), "CD")
    elif stamp := _stamp_of(str(observation.get("valueDateTime", ""))):
        _typed(add(made, "value", value=stamp), "TS")
    elif "valueBoolean" in observation:
        _typed(add(made, "value", value="true" if observation["valueBoolean"] else "false"), "BL")
    elif words := value_text(observation):
        _typed(add(made, "value", words), "ST")


def _bounds(value: etree._Element, span: Mapping[str, Any], *, inclusive: bool = True) -> None:
    _typed(value, "IVL_PQ")
    for name in ("low", "high"):
        if name in span:
            given = span[name]
            limit = add(value, name, value=figure(given.get("value", "")), unit=_unit(given))
            if not inclusive:
                limit.set("inclusive", "false")


def _unit(quantity: Mapping[str, Any]) -> str:
    return str(quantity.get("unit") or quantity.get("code") or "")


def _oid(system: str) -> str:
    """The number of a code system; "" for one that has none."""
    oid = {systems.LOINC: catalogue.LOINC, systems.ICD10: catalogue.ICD10[0]}.get(
        system, system.removeprefix("urn:oid:")
    )
    return oid if _OID.fullmatch(oid) else ""


def _typed(value: etree._Element, name: str) -> None:
    value.set("{http://www.w3.org/2001/XMLSchema-instance}type", name)


def figure(value: object) -> str:
    """A number as it was sent, or as people write it: 127, not 127.0."""
    if (sent := getattr(value, "text", None)) is not None:
        return str(sent)
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def words_of(div: str) -> list[str]:
    """The lines of a narrative."""
    lines = (unescape(_TAG.sub("", part)).strip() for part in _PARAGRAPH.split(div))
    return [line for line in lines if line]


def _stamp_of(text: str) -> str:
    """A dateTime as precise as it is: a day stays a day."""
    return text.replace("-", "") if len(text) <= len("2026-05-01") else _stamp(text)


def _stamp(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return ""
    return f"{moment.astimezone(_CHINA):%Y%m%d%H%M%S}"
