"""Values of Observations on their scales: in which unit, by which laboratory, within which of its ranges."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from doorstep.kernel.record.queries import Entry
from doorstep.people.residents.chart.analytes import OF_CODE, Analyte, factor, written

_GONE = frozenset({"entered-in-error", "cancelled"})
_HIGH, _LOW = frozenset({"H", "HH", "HU", ">"}), frozenset({"L", "LL", "LU", "<"})
_NORMAL_RANGE = ("", "normal")


class Value(NamedTuple):
    """One value. `value`, `low` and `high` are in `scale`; `sent` is the text of the laboratory when it was in another unit.

    `flag`: "high", "low", "abnormal" or "", by the laboratory's own mark, else by its own range; there is no other laboratory's
    range and none of ours. `part`: the LOINC code within a panel.
    """

    at: datetime
    analyte: Analyte
    scale: str
    value: Decimal
    text: str
    part: str = ""
    sent: str = ""
    low: Decimal | None = None
    high: Decimal | None = None
    range_text: str = ""
    flag: str = ""
    organization_id: int | None = None
    fhir_id: str = ""
    preliminary: bool = False
    by_patient: bool = False


def values_of(entries: Iterable[Entry]) -> list[Value]:
    """Every value among the Observations that is followed, in the order of the entries; a panel gives one for each part."""
    found: list[Value] = []
    for entry in entries:
        content = entry.content
        code = next((one for one in _codes(content.get("code")) if one in OF_CODE), "")
        if not code or content.get("status") in _GONE:
            continue
        analyte = OF_CODE[code]
        if not analyte.parts:
            found += _value(entry, content, analyte, unit=analyte.codes[code])
            continue
        for part, _name in analyte.parts:
            component = next((one for one in content.get("component", []) if part in _codes(one.get("code"))), None)
            if component is not None:
                found += _value(entry, component, analyte, unit=analyte.codes[code], part=part)
    return found


def may_be_marked(content: Mapping[str, Any]) -> bool:
    """Whether a laboratory said anything that a flag could follow from: a mark of its own or a range."""
    return any("interpretation" in one or "referenceRange" in one for one in (content, *content.get("component", ())))


def number_text(value: Decimal) -> str:
    """A number as the laboratory gave it, without an exponent."""
    return f"{value:f}"


def _value(entry: Entry, holder: Mapping[str, Any], analyte: Analyte, *, unit: str, part: str = "") -> list[Value]:
    quantity = holder.get("valueQuantity") or {}
    given = _decimal(quantity.get("value"))
    if given is None:
        return []
    sent_unit = str(quantity.get("code") or quantity.get("unit") or "")
    ratio = factor(sent_unit, unit) if sent_unit else Decimal(1)
    scale = unit if ratio is not None else sent_unit
    times = ratio if ratio is not None else Decimal(1)
    mark = str(quantity.get("comparator", ""))
    low, high, range_text = _range(holder, scale)
    if analyte.group == "vital" and given == given.to_integral_value():
        # Nobody measures tenths of a millimetre of mercury: 127.0 is a device's way of writing 127.
        given = given.quantize(Decimal(1))
    value = given * times if times != 1 else given
    name = written(scale)
    return [
        Value(
            at=entry.occurred_at,
            analyte=analyte,
            scale=scale,
            value=value,
            text=f"{mark}{number_text(value)} {name}".strip(),
            part=part,
            sent=f"{mark}{number_text(given)} {written(sent_unit)}" if times != 1 else "",
            low=low,
            high=high,
            range_text=range_text,
            flag=_flag(holder, value, low, high),
            organization_id=entry.organization_id,
            fhir_id=entry.fhir_id,
            preliminary=entry.content.get("status") in ("preliminary", "registered"),
            by_patient=_by_patient(entry.content),
        )
    ]


def _range(holder: Mapping[str, Any], scale: str) -> tuple[Decimal | None, Decimal | None, str]:
    for one in holder.get("referenceRange", []):
        kinds = _codes(one.get("type"))
        if (kinds[0] if kinds else "") not in _NORMAL_RANGE:
            continue
        low, high = _bound(one.get("low"), scale), _bound(one.get("high"), scale)
        if low is not None and high is not None:
            return low, high, f"{number_text(low)}–{number_text(high)}"
        if high is not None:
            return None, high, f"≤ {number_text(high)}"
        if low is not None:
            return low, None, f"≥ {number_text(low)}"
        if one.get("text"):
            return None, None, str(one["text"])
    return None, None, ""


def _bound(quantity: Mapping[str, Any] | None, scale: str) -> Decimal | None:
    given = _decimal((quantity or {}).get("value"))
    if quantity is None or given is None:
        return None
    sent = str(quantity.get("code") or quantity.get("unit") or scale)
    ratio = factor(sent, scale)
    return None if ratio is None else given * ratio if ratio != 1 else given


def mark_of(holder: Mapping[str, Any]) -> str | None:
    """What the laboratory marked a result with: high, low, abnormal, "" for normal; None when it said nothing."""
    marks = {code for one in holder.get("interpretation", []) for code in _codes(one)}
    if marks & _HIGH:
        return "high"
    if marks & _LOW:
        return "low"
    if marks & {"A", "AA"}:
        return "abnormal"
    return "" if marks & {"N"} else None


def _flag(holder: Mapping[str, Any], value: Decimal, low: Decimal | None, high: Decimal | None) -> str:
    marked = mark_of(holder)
    if marked is not None:
        return marked
    if high is not None and value > high:
        return "high"
    return "low" if low is not None and value < low else ""


def _codes(concept: Any) -> list[str]:
    given = concept.get("coding") if isinstance(concept, dict) else None
    return [str(one.get("code", "")) for one in given or []]


def _decimal(given: Any) -> Decimal | None:
    try:
        # A decimal of the record remembers the text it was sent as: 6.50 stays 6.50.
        return None if given is None else Decimal(str(getattr(given, "text", given)))
    except InvalidOperation:
        return None


def _by_patient(content: Mapping[str, Any]) -> bool:
    return any(
        str(one.get("reference", "")).startswith(("Patient/", "RelatedPerson/")) for one in content.get("performer", [])
    )
