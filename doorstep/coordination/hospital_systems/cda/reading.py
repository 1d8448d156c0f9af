"""Reading a CDA R2 document: who, what, when, and its sections. Entities, document types and the network stay outside."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from xml.etree.ElementTree import ParseError

from defusedxml import ElementTree as Guard
from defusedxml.common import DefusedXmlException
from lxml import etree

from doorstep.coordination.hospital_systems.cda import catalogue
from doorstep.coordination.hospital_systems.v2.times import day_of, moment_of
from doorstep.kernel.exchange.formats import Fault

_NS = {"v3": catalogue.NAMESPACE}
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_BLOCKS = {"paragraph", "br", "tr", "item", "list", "table"}


@dataclass(frozen=True, slots=True)
class Coded:
    """A code with its system (an OID) and words."""

    code: str
    system: str
    display: str


@dataclass(frozen=True, slots=True)
class Result:
    """One observation of an entry; `unit` only with a number."""

    code: Coded
    value: str
    unit: str
    low: str
    high: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Section:
    """A section as it stands: also one that nobody here knows."""

    code: Coded
    title: str
    text: str
    results: tuple[Result, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """What a document says of itself, its patient and its author."""

    number: str
    version: str
    code: Coded
    title: str
    written_at: datetime | None
    numbers: tuple[str, ...]
    name: str
    birth_date: date | None
    author: str
    custodian: str
    sections: tuple[Section, ...]


# A long stay takes some ten thousand, pictures in it are one each; an element costs the parsers several hundred bytes.
_MOST_TAGS = 200_000


def parse(data: bytes) -> Document:
    """Read a document; raises Fault for what is none, and for any document type or entity in it."""
    if data.count(b"<") > _MOST_TAGS:
        raise Fault("xml-crowded", "ClinicalDocument", most=str(_MOST_TAGS))
    try:
        # Refuses at the first <!DOCTYPE, before anything could be expanded or fetched.
        Guard.fromstring(data, forbid_dtd=True)
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
        root = etree.fromstring(data, parser)
    except DefusedXmlException as error:
        raise Fault("xml-doctype", "DOCTYPE") from error
    except ParseError as error:
        # Where it breaks off says whether it was cut short; the words of the parser may quote the document.
        raise Fault("xml-broken", "ClinicalDocument", line=str(error.position[0])) from error
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Fault("xml-broken", "ClinicalDocument", line="—") from error
    if root.tag != f"{{{catalogue.NAMESPACE}}}ClinicalDocument":
        raise Fault("xml-other", str(root.tag).rpartition("}")[2][:40])
    return _document(root)


def _document(root: etree._Element) -> Document:
    identity = _first(root, "v3:setId") if _first(root, "v3:setId") is not None else _first(root, "v3:id")
    number, root_number = _attribute(identity, "extension"), _attribute(identity, "root")
    # The root of the numbering itself is the number of no document: all that lack an extension would be one.
    number = number or ("" if root_number == catalogue.DOCUMENT_IDS else root_number)
    if not number:
        raise Fault("field-missing", "ClinicalDocument.id")
    role = _first(root, "v3:recordTarget/v3:patientRole")
    ids = role.iterfind(".//v3:id", _NS) if role is not None else iter(())
    author = _first(root, "v3:author/v3:assignedAuthor")
    custodian = _first(root, "v3:custodian//v3:name")
    bodies = root.findall("v3:component/v3:structuredBody/v3:component/v3:section", _NS)
    return Document(
        number=number,
        version=_attribute(_first(root, "v3:versionNumber"), "value") or "1",
        code=_coded(_first(root, "v3:code")),
        title=_text(_first(root, "v3:title")),
        written_at=moment_of(_attribute(_first(root, "v3:effectiveTime"), "value")),
        numbers=_numbers(ids),
        name=_text(_first(root, "v3:recordTarget/v3:patientRole/v3:patient/v3:name")),
        birth_date=day_of(_attribute(_first(root, "v3:recordTarget/v3:patientRole/v3:patient/v3:birthTime"), "value")),
        author=_text(author.find(".//v3:name", _NS)) if author is not None else "",
        custodian=_text(custodian),
        sections=tuple(section for body in bodies for section in _sections(body)),
    )


def _numbers(ids: Iterator[etree._Element]) -> tuple[str, ...]:
    """The patient's numbers; an organisation inside the role has an id as well, which is none of theirs."""
    found = [_attribute(one, "extension") for one in ids if _attribute(one, "root") != catalogue.ORGANIZATION_CODE]
    return tuple(dict.fromkeys(number for number in found if number))


def _sections(body: etree._Element) -> Iterator[Section]:
    entries = list(body.iterfind("v3:entry//v3:observation", _NS))
    yield Section(
        code=_coded(_first(body, "v3:code")),
        title=_text(_first(body, "v3:title")),
        text=_narrative(_first(body, "v3:text")) or _told(entries),
        results=tuple(result for one in entries if (result := _result(one)) is not None),
    )
    for inner in body.iterfind("v3:component/v3:section", _NS):
        yield from _sections(inner)


def _result(one: etree._Element) -> Result | None:
    value = _first(one, "v3:value")
    code = _coded(_first(one, "v3:code"))
    if value is None or not (code.code or code.display):
        return None
    shown = _attribute(value, "value") or _attribute(value, "displayName") or _text(value) or _attribute(value, "code")
    if not shown:
        return None
    kind = str(value.get(_TYPE, "")).rpartition(":")[2]
    span = _first(one, "v3:referenceRange/v3:observationRange/v3:value")
    low, high = (_first(span, "v3:low"), _first(span, "v3:high")) if span is not None else (None, None)
    return Result(
        code=code,
        value=shown,
        unit=_attribute(value, "unit") if kind in ("PQ", "REAL", "INT", "") else "",
        low=_attribute(low, "value"),
        high=_attribute(high, "value"),
        at=moment_of(_attribute(_first(one, "v3:effectiveTime"), "value")),
    )


def _told(entries: list[etree._Element]) -> str:
    """The entries in words, for a section without text: our record shows every section to a person."""
    results = [result for one in entries if (result := _result(one)) is not None]
    return "\n".join(f"{one.code.display or one.code.code}：{one.value}{one.unit}" for one in results)


def _narrative(text: etree._Element | None) -> str:
    if text is None:
        return ""
    parts: list[str] = []
    for node in text.iter():
        if not isinstance(node.tag, str):
            continue
        name = etree.QName(node).localname
        if name in _BLOCKS:
            parts.append("\n")
        elif name in ("td", "th"):
            parts.append(" ")
        parts.append(node.text or "")
        if node is not text:
            parts.append(node.tail or "")
    lines = (" ".join(line.split()) for line in "".join(parts).split("\n"))
    return "\n".join(line for line in lines if line)


def _coded(node: etree._Element | None) -> Coded:
    return Coded(_attribute(node, "code"), _attribute(node, "codeSystem"), _attribute(node, "displayName"))


def _first(node: etree._Element, path: str) -> etree._Element | None:
    return node.find(path, _NS)


def _attribute(node: etree._Element | None, name: str) -> str:
    return str(node.get(name) or "").strip() if node is not None else ""


def _text(node: etree._Element | None) -> str:
    return "".join(str(part) for part in node.itertext()).strip() if node is not None else ""
