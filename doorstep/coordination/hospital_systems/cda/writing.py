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

_NAMES: Any = {None: catalogue.NAMESPACE, "xsi": "http://www.w3.org/2001/XMLSchema-instance"}
_CHINA = ZoneInfo("Asia/Shanghai")
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
    add(root, "confidentialityCode", code="N", codeSystem="2.16.840.1.113883.5.25", displayName="正常访问保密级别")
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
    system = {systems.LOINC: catalogue.LOINC}.get(str(coding.get("system", "")), str(coding.get("system", "")))
    oid = system.removeprefix("urn:oid:")
    known = oid if _OID.fullmatch(oid) else ""
    add(parent, "code", code=str(coding.get("code", "")), codeSystem=known, displayName=coding.get("display") or words)


def _add_result(entry: etree._Element, observation: Mapping[str, Any]) -> None:
    """One Observation: a number with its unit and range as PQ, words as ST; the parts of a panel inside it."""
    made = add(entry, "observation", classCode="OBS", moodCode="EVN")
    code = observation.get("code", {})
    _add_code(made, next(iter(code.get("coding", [])), {}), str(code.get("text", "")))
    add(made, "statusCode", code="completed")
    if moment := _stamp(str(observation.get("effectiveDateTime", ""))):
        add(made, "effectiveTime", value=moment)
    quantity = observation.get("valueQuantity", {})
    concept = observation.get("valueCodeableConcept", {})
    words = str(observation.get("valueString", "") or concept.get("text", ""))
    words = words or next((str(one.get("display", "")) for one in concept.get("coding", [])), "")
    if quantity.get("value") is not None:
        unit = str(quantity.get("unit") or quantity.get("code") or "")
        _typed(add(made, "value", value=figure(quantity["value"]), unit=unit), "PQ")
    elif words:
        _typed(add(made, "value", words), "ST")
    span: Mapping[str, Any] = next(iter(observation.get("referenceRange", [])), {})
    if "low" in span or "high" in span:
        bounds = add(add(add(made, "referenceRange"), "observationRange"), "value")
        _typed(bounds, "IVL_PQ")
        for name in ("low", "high"):
            if name in span:
                add(bounds, name, value=figure(span[name].get("value", "")), unit=str(span[name].get("unit", "")))
    for part in observation.get("component", []):
        _add_result(add(made, "entryRelationship", typeCode="COMP"), part)


def _typed(value: etree._Element, name: str) -> None:
    value.set("{http://www.w3.org/2001/XMLSchema-instance}type", name)


def figure(value: object) -> str:
    """A number as people write it: 127, not 127.0."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def words_of(div: str) -> list[str]:
    """The lines of a narrative."""
    lines = (unescape(_TAG.sub("", part)).strip() for part in _PARAGRAPH.split(div))
    return [line for line in lines if line]


def _stamp(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return ""
    return f"{moment.astimezone(_CHINA):%Y%m%d%H%M%S}"
