"""Reading a CDA R2 document: who, what, when, and its sections. Entities, document types and the network stay outside."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from xml.etree.ElementTree import ParseError

from defusedxml import ElementTree as Guard
from defusedxml.common import DefusedXmlException
from lxml import etree

from doorstep.coordination.hospital_systems.cda import catalogue
from doorstep.coordination.hospital_systems.v2.times import day_of, fhir_time, moment_of
from doorstep.kernel.exchange.formats import Fault

_NS = {"v3": catalogue.NAMESPACE}
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
# What an entry tells besides observations, and where it names what was given.
_DEEDS = ("act", "procedure", "substanceAdministration", "supply")
_MATERIAL = "v3:consumable/v3:manufacturedProduct//v3:code"
# How a laboratory's mark reads in words.
_MARKS = {"H": "↑", "HH": "↑↑", "L": "↓", "LL": "↓↓", "A": "异常", "AA": "危急"}
_BLOCKS = {"paragraph", "br", "tr", "item", "list", "table"}


@dataclass(frozen=True, slots=True)
class Coded:
    """A code with its system (an OID), words, and what its sender calls the system."""

    code: str
    system: str
    display: str
    system_name: str = ""


_NOTHING = Coded("", "", "")


class Sort(StrEnum):
    """What the value of an observation is."""

    NUMBER = "number"
    RANGE = "range"
    CODE = "code"
    TIME = "time"
    TRUTH = "truth"
    WORDS = "words"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One observation of an entry. `value` is what a person reads.

    `unit` only with a number or a range; of a range `least` and `most` are its bounds, each with "" where there is none and with whether it
    belongs to the range; `answer` is the code of a coded value; `low`, `high` or `span` (words) is the reference range.
    """

    code: Coded
    sort: Sort
    value: str
    unit: str = ""
    least: tuple[str, bool] = ("", True)
    most: tuple[str, bool] = ("", True)
    answer: Coded | None = None
    flag: str = ""
    low: str = ""
    high: str = ""
    span: str = ""
    at: datetime | None = None


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
    # How secret its sender says it is: N, R or V (HL7 v3 Confidentiality); "" when it says nothing.
    secrecy: str = ""


# Codes of expat for a document that ends too early: no element, an unclosed token, a part of a character, an unclosed CDATA section.
_CUT_OFF = (3, 5, 6, 20)
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
        kind = "xml-broken" if _ends_early(data, error) else "xml-wrong"
        raise Fault(kind, "ClinicalDocument", line=str(error.position[0])) from error
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Fault("xml-broken", "ClinicalDocument", line="—") from error
    if root.tag != f"{{{catalogue.NAMESPACE}}}ClinicalDocument":
        raise Fault("xml-other", str(root.tag).rpartition("}")[2][:40])
    return _document(root)


def _ends_early(data: bytes, error: ParseError) -> bool:
    """Whether the text ends before its root does: it was cut off. Another fault stands in the middle of it."""
    return not data.rstrip().endswith(b">") or error.code in _CUT_OFF


def _document(root: etree._Element) -> Document:
    # The samples of WS/T 500 leave setId empty: such a document goes by its own id.
    number = _number_of(_first(root, "v3:setId")) or _number_of(_first(root, "v3:id"))
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
        secrecy=_attribute(_first(root, "v3:confidentialityCode"), "code").upper(),
    )


def _number_of(identity: etree._Element | None) -> str:
    """The number that an id or setId says; the root of the numbering itself is the number of no document."""
    root = _attribute(identity, "root")
    return _attribute(identity, "extension") or ("" if root == catalogue.DOCUMENT_IDS else root)


def _numbers(ids: Iterator[etree._Element]) -> tuple[str, ...]:
    """The patient's numbers; an organisation inside the role has an id as well, which is none of theirs."""
    found = [_attribute(one, "extension") for one in ids if _attribute(one, "root") != catalogue.ORGANIZATION_CODE]
    return tuple(dict.fromkeys(number for number in found if number))


def _sections(body: etree._Element) -> Iterator[Section]:
    results = tuple(_results(body))
    yield Section(
        code=_coded(_first(body, "v3:code")),
        title=_text(_first(body, "v3:title")),
        text=_narrative(_first(body, "v3:text")) or "\n".join([*map(_told, results), *_deeds(body)]),
        results=results,
    )
    for inner in body.iterfind("v3:component/v3:section", _NS):
        yield from _sections(inner)


def _results(body: etree._Element) -> Iterator[Result]:
    """The observations of a section's own entries, and what they are about where that is named in words (a medicine, an allergen)."""
    for one in body.iterfind("v3:entry//v3:observation", _NS):
        if (result := _result(one)) is not None:
            yield result
        for thing in one.iterfind("v3:participant/v3:participantRole/v3:playingEntity", _NS):
            code, words = (
                _coded(_first(thing, "v3:code")),
                _text(_first(thing, "v3:desc")) or _text(_first(thing, "v3:name")),
            )
            if words and (code.code or code.display):
                yield Result(code=code, sort=Sort.WORDS, value=words)


def _result(one: etree._Element) -> Result | None:
    value, code = _first(one, "v3:value"), _coded(_first(one, "v3:code"))
    if value is None or not (code.code or code.display):
        return None
    read = _value(value)
    if read is None:
        return None
    span = _first(one, "v3:referenceRange/v3:observationRange")
    bounds = _first(span, "v3:value") if span is not None else None
    low, high = (_first(bounds, "v3:low"), _first(bounds, "v3:high")) if bounds is not None else (None, None)
    words = _text(_first(span, "v3:text")) if span is not None else ""
    return replace(
        read,
        code=code,
        flag=_attribute(_first(one, "v3:interpretationCode"), "code").upper(),
        low=_attribute(low, "value"),
        high=_attribute(high, "value"),
        span=words or (_text(bounds) if low is None and high is None else ""),
        at=moment_of(_attribute(_first(one, "v3:effectiveTime"), "value")),
    )


def _value(value: etree._Element) -> Result | None:
    """The value of an observation by its type (data types of CDA R2), still without its question; None when nothing is said."""
    kind = str(value.get(_TYPE, "")).rpartition(":")[2].upper()
    given, answer, words = _attribute(value, "value"), _coded(value), _text(value)
    if kind == "ED" and value.get("representation") == "B64":
        # A picture or a file: it is in the document, and no words.
        return None
    if kind.startswith("IVL_"):
        return _interval(value)
    if given:
        sort = Sort.NUMBER if kind in ("PQ", "REAL", "INT", "MO", "") else Sort.WORDS
        if kind == "BL" and given in ("true", "false"):
            sort = Sort.TRUTH
        elif kind == "TS" and moment_of(given) is not None:
            sort = Sort.TIME
        unit = _attribute(value, "unit") if sort == Sort.NUMBER else ""
        return Result(code=_NOTHING, sort=sort, value=given, unit=unit)
    if answer.code or answer.display:
        return Result(code=_NOTHING, sort=Sort.CODE, value=answer.display or answer.code, answer=answer)
    return Result(code=_NOTHING, sort=Sort.WORDS, value=words) if words else None


def _interval(value: etree._Element) -> Result | None:
    low, high = _first(value, "v3:low"), _first(value, "v3:high")
    least, most = _attribute(low, "value"), _attribute(high, "value")
    unit = _attribute(low, "unit") or _attribute(high, "unit")
    if not least and not most:
        return None
    with_least, with_most = (_attribute(one, "inclusive") != "false" for one in (low, high))
    if least and most:
        said = f"{least}–{most}"
    else:
        said = f"{'≥' if with_least else '>'}{least}" if least else f"{'≤' if with_most else '<'}{most}"
    return Result(
        code=_NOTHING,
        sort=Sort.RANGE,
        value=said,
        unit=unit,
        least=(least, with_least),
        most=(most, with_most),
    )


def _told(result: Result) -> str:
    """An entry in words, for a section without text: our record shows every section to a person."""
    value = result.value
    if result.sort == Sort.TRUTH:
        value = "是" if value == "true" else "否"
    elif result.sort == Sort.TIME:
        value = fhir_time(value)[:16].replace("T", " ")
    spread = result.span or "–".join(filter(None, (result.low, result.high)))
    said = f"{value} {result.unit}".strip() + (f" {_MARKS[result.flag]}" if result.flag in _MARKS else "")
    return f"{result.code.display or result.code.code}：{said}" + (f"（参考 {spread}）" if spread else "")


def _deeds(body: etree._Element) -> Iterator[str]:
    """What was done or given, one line each: nobody may take a section without text for an empty one."""
    for name in _DEEDS:
        for one in body.iterfind(f"v3:entry//v3:{name}", _NS):
            words = [_coded(_first(one, "v3:code")).display, _text(_first(one, "v3:text"))]
            words += [_coded(node).display for node in one.iterfind(_MATERIAL, _NS)]
            dose = _first(one, "v3:doseQuantity")
            words.append(f"{_attribute(dose, 'value')}{_attribute(dose, 'unit')}")
            begun = _first(one, "v3:effectiveTime")
            day = (
                day_of(_attribute(begun, "value") or _attribute(_first(begun, "v3:low"), "value"))
                if begun is not None
                else None
            )
            line = "，".join(dict.fromkeys(word for word in words if word))
            if line:
                yield f"{line}（{day.isoformat()}）" if day else line


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
    return Coded(*(_attribute(node, name) for name in ("code", "codeSystem", "displayName", "codeSystemName")))


def _first(node: etree._Element, path: str) -> etree._Element | None:
    return node.find(path, _NS)


def _attribute(node: etree._Element | None, name: str) -> str:
    return str(node.get(name) or "").strip() if node is not None else ""


def _text(node: etree._Element | None) -> str:
    return "".join(str(part) for part in node.itertext()).strip() if node is not None else ""
