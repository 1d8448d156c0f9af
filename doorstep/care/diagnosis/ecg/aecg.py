"""Read HL7 annotated ECG (HL7 v3 aECG, ANSI/HL7 V3 ECG R1-2004): XML in the namespace urn:hl7-org:v3."""

import re
from datetime import datetime
from typing import Final
from xml.etree.ElementTree import Element, ParseError

import numpy as np
import numpy.typing as npt
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from doorstep.care.diagnosis.ecg.recording import Device, Filters, PatientFacts, Recording, missing_leads, twelve_leads
from doorstep.care.diagnosis.ecg.refusals import EcgRefused, RefusalCode
from doorstep.care.diagnosis.ecg.units import (
    date_of,
    finite,
    instant_of,
    lead_named,
    microvolts_per,
    national_id_in,
    seconds_per,
    sex_of,
)

NAMESPACE: Final = "urn:hl7-org:v3"
XSI_TYPE: Final = "{http://www.w3.org/2001/XMLSchema-instance}type"
LEAD_CODE: Final = "MDC_ECG_LEAD_"
FILTER_CODES: Final = {
    "MDC_ECG_CTL_VBL_ATTR_FILTER_HIGH_PASS": "low_hz",
    "MDC_ECG_CTL_VBL_ATTR_FILTER_LOW_PASS": "high_hz",
}
NOTCH_CODE: Final = "MDC_ECG_CTL_VBL_ATTR_FILTER_NOTCH"
_NS: Final = {"h": NAMESPACE}
_DECLARATION: Final = re.compile(
    rb"\A\s*<\?xml[^>]*?encoding\s*=\s*[\"'](gb2312|gbk|gb18030)[\"'][^>]*?\?>", re.IGNORECASE
)
_SHORTFALL: Final = 0.95
# Waveforms are digits in few elements; each element takes three hundred bytes of memory.
_MOST_TAGS: Final = 100_000
Floats = npt.NDArray[np.float64]


def read_aecg(data: bytes) -> Recording:
    """The recording in an aECG document; EcgRefused when the XML is unsafe, broken, cut off, or lacks leads or units.

    Document type declarations are refused whole, so no entity is ever expanded. GB2312 and GBK, which carts in
    China like to
    write, are read although XML parsers need not know them.
    """
    root = _parse(data)
    if root.tag != f"{{{NAMESPACE}}}AnnotatedECG":
        raise EcgRefused(RefusalCode.NOT_ECG, kind_zh="一份别的 XML 文件", kind_en="another kind of XML file")
    try:
        return _recording(root)
    except (ValueError, OverflowError) as error:
        raise EcgRefused(
            RefusalCode.MALFORMED, detail_zh="波形数字读不通", detail_en="the digits cannot be read"
        ) from error


def _parse(data: bytes) -> Element:
    if match := _DECLARATION.match(data):
        data = data[match.end() :].decode("gb18030", errors="replace").encode()
    if data.count(b"<") > _MOST_TAGS:
        raise EcgRefused(RefusalCode.UNSAFE, detail_zh="XML 元素过多", detail_en="too many XML elements")
    try:
        root: Element = fromstring(data, forbid_dtd=True)
    except DefusedXmlException as error:
        raise EcgRefused(
            RefusalCode.UNSAFE, detail_zh="XML 含有实体或文档类型声明", detail_en="XML with a DTD or entities"
        ) from error
    except ParseError as error:
        if data.rstrip().endswith(b"AnnotatedECG>"):
            raise EcgRefused(RefusalCode.MALFORMED, detail_zh="XML 语法错误", detail_en="XML syntax error") from error
        raise EcgRefused(RefusalCode.CUT_OFF, detail_zh="XML 没有结尾", detail_en="the XML has no end") from error
    except (ValueError, LookupError, RecursionError) as error:
        raise EcgRefused(
            RefusalCode.MALFORMED, detail_zh="XML 编码读不通", detail_en="the XML encoding is broken"
        ) from error
    return root


def _recording(root: Element) -> Recording:
    series = root.find("h:component/h:series", _NS)
    if series is None:
        raise EcgRefused(RefusalCode.CUT_OFF, detail_zh="没有波形数据", detail_en="there is no waveform")
    sets = series.findall("h:component/h:sequenceSet", _NS)
    found, increment, head = _leads(sets)
    if missing := missing_leads(set(found)):
        raise EcgRefused(RefusalCode.LEADS_MISSING, leads="、".join(missing))
    lengths = {values.size for values in found.values()}
    if len(lengths) != 1:
        raise EcgRefused(
            RefusalCode.CUT_OFF, detail_zh="各导联的采样点数不一致", detail_en="the leads differ in length"
        )
    if increment is None or increment <= 0:
        raise EcgRefused(RefusalCode.MALFORMED, detail_zh="没有采样间隔", detail_en="there is no sampling interval")
    taken_at = head or _start(series) or _start(root)
    _check_length(series, lengths.pop() * increment)
    samples, derived = twelve_leads(found)
    identifier = root.find("h:id", _NS)
    return Recording(
        format="aecg",
        taken_at=taken_at,
        patient=_patient(root),
        device=_device(series),
        sampling_hz=round(1 / increment, 6),
        samples=samples,
        instance_id=_attribute(identifier, "root") or "",
        filters=_filters(series),
        statements=_statements(series),
        derived_leads=derived,
    )


def _leads(sets: list[Element]) -> tuple[dict[str, Floats], float | None, datetime | None]:
    found: dict[str, Floats] = {}
    increment: float | None = None
    head: datetime | None = None
    for sequence in (item for group in sets for item in group.findall("h:component/h:sequence", _NS)):
        code = _attribute(sequence.find("h:code", _NS), "code") or ""
        value = sequence.find("h:value", _NS)
        if value is None:
            continue
        if code in ("TIME_ABSOLUTE", "TIME_RELATIVE"):
            step = value.find("h:increment", _NS)
            number, unit = finite(_attribute(step, "value")), seconds_per(_attribute(step, "unit") or "")
            increment = number * unit if number and unit else None
            head = instant_of(_attribute(value.find("h:head", _NS), "value")) if code == "TIME_ABSOLUTE" else None
        elif code.startswith(LEAD_CODE) and (name := lead_named(code)) and name not in found:
            found[name] = _voltages(value, name)
    return found, increment, head


def _voltages(value: Element, lead: str) -> Floats:
    """Microvolts of one SLIST_PQ: origin + digit x scale."""
    origin, scale = value.find("h:origin", _NS), value.find("h:scale", _NS)
    size, unit = finite(_attribute(scale, "value")), microvolts_per(_attribute(scale, "unit") or "")
    if not size or unit is None:
        raise EcgRefused(
            RefusalCode.UNITS, lead=lead, detail=f"{_attribute(scale, 'value')} {_attribute(scale, 'unit')}"
        )
    zero, zero_unit = finite(_attribute(origin, "value") or "0"), microvolts_per(_attribute(origin, "unit") or "uV")
    if zero is None or zero_unit is None:
        raise EcgRefused(
            RefusalCode.UNITS, lead=lead, detail=f"{_attribute(origin, 'value')} {_attribute(origin, 'unit')}"
        )
    digits = np.array((value.findtext("h:digits", "", _NS)).split(), dtype=np.float64)
    values: Floats = digits * (size * unit) + zero * zero_unit
    if not np.all(np.abs(values) < 2_000_000_000):
        raise EcgRefused(RefusalCode.UNITS, lead=lead, detail="µV > 2·10⁹")
    return values


def _check_length(series: Element, seconds: float) -> None:
    begin, end = _start(series), instant_of(_attribute(series.find("h:effectiveTime/h:high", _NS), "value"))
    if begin is None or end is None:
        return
    announced = (end - begin).total_seconds()
    # whole-second clocks in the header may be one second off
    if seconds < (announced - 1.0) * _SHORTFALL:
        raise EcgRefused(
            RefusalCode.CUT_OFF,
            detail_zh=f"应有 {announced:.1f} 秒，实际只有 {seconds:.1f} 秒",
            detail_en=f"{announced:.1f} s were announced, {seconds:.1f} s are there",
        )


def _start(element: Element) -> datetime | None:
    time = element.find("h:effectiveTime", _NS)
    if time is None:
        return None
    candidates = (time.find("h:low", _NS), time.find("h:center", _NS), time)
    return next((moment for item in candidates if (moment := instant_of(_attribute(item, "value")))), None)


def _patient(root: Element) -> PatientFacts:
    subject = root.find(
        "h:componentOf/h:timepointEvent/h:componentOf/h:subjectAssignment/h:subject/h:trialSubject", _NS
    )
    if subject is None:
        return PatientFacts()
    identifiers = [item.get("extension") for item in subject.findall("h:id", _NS)]
    person = subject.find("h:subjectDemographicPerson", _NS)
    if person is None:
        return PatientFacts(patient_id=next(filter(None, identifiers), None), national_id=national_id_in(*identifiers))
    name = person.find("h:name", _NS)
    words = " ".join("".join(name.itertext()).split()) if name is not None else ""
    return PatientFacts(
        name=words or None,
        patient_id=next(filter(None, identifiers), None),
        national_id=national_id_in(*identifiers),
        birth_date=date_of(_attribute(person.find("h:birthTime", _NS), "value")),
        sex=sex_of(_attribute(person.find("h:administrativeGenderCode", _NS), "code")),
    )


def _device(series: Element) -> Device:
    author = series.find("h:author/h:seriesAuthor", _NS)
    if author is None:
        return Device()
    device = author.find("h:manufacturedSeriesDevice", _NS)
    maker = author.findtext("h:manufacturerOrganization/h:name", None, _NS)
    if device is None:
        return Device(manufacturer=maker)
    return Device(
        maker, device.findtext("h:manufacturerModelName", None, _NS), _attribute(device.find("h:id", _NS), "extension")
    )


def _filters(series: Element) -> Filters:
    found: dict[str, float] = {}
    for variable in series.iterfind("h:controlVariable/h:controlVariable", _NS):
        code = _attribute(variable.find("h:code", _NS), "code") or ""
        part = variable.find("h:component/h:controlVariable/h:value", _NS)
        number = finite(_attribute(part, "value"))
        if number is not None and (code in FILTER_CODES or code == NOTCH_CODE):
            found[FILTER_CODES.get(code, "notch_hz")] = number
    return Filters(found.get("low_hz"), found.get("high_hz"), found.get("notch_hz"))


def _statements(series: Element) -> tuple[str, ...]:
    texts: list[str] = []
    for annotation in series.iterfind("h:subjectOf/h:annotationSet/h:component/h:annotation", _NS):
        for item in annotation.iter(f"{{{NAMESPACE}}}annotation"):
            value = item.find("h:value", _NS)
            if value is None:
                continue
            name = _attribute(item.find("h:code", _NS), "displayName") or _attribute(item.find("h:code", _NS), "code")
            text = (value.text or "").strip() or f"{value.get('value') or ''} {value.get('unit') or ''}".strip()
            if text:
                texts.append(text if value.get(XSI_TYPE) == "ST" else f"{name}: {text}")
    return tuple(texts[:60])


def _attribute(element: Element | None, name: str) -> str | None:
    return element.get(name) if element is not None else None
