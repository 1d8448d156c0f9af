"""What was measured, as the criteria read it: the newest value of each sign in the unit of its rule, and the course of a treatment.

Pure. A value that was struck out is none. One whose unit does not convert into that of the rule stays unknown: 98 mg/dL are no 98 mmol/L.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils import timezone

from doorstep.care.referrals.criteria import Fact
from doorstep.kernel.fhir.units import canonical
from doorstep.kernel.record.queries import Entry

_PRESSURES = frozenset({"85354-9", "55284-4"})
_SYSTOLIC, _DIASTOLIC = "8480-6", "8462-4"
HBA1C = "4548-4"
# LOINC code -> fact, unit as it is written, unit of the rule (UCUM), decimals
MEASURED: Mapping[str, tuple[str, str, str, int]] = {
    "8867-4": ("pulse", "次/分", "/min", 0),
    "59408-5": ("spo2", "%", "%", 0),
    "2708-6": ("spo2", "%", "%", 0),
    "8310-5": ("temperature", "℃", "Cel", 1),
    "15074-8": ("glucose", "mmol/L", "mmol/L", 2),
    "14749-6": ("glucose", "mmol/L", "mmol/L", 2),
    "14771-0": ("glucose", "mmol/L", "mmol/L", 2),
    "14760-3": ("glucose", "mmol/L", "mmol/L", 2),
    HBA1C: ("hba1c", "%", "%", 2),
}
# As devices and clinics write what UCUM spells otherwise.
_ALSO_WRITTEN = {
    "mmHg": "mm[Hg]",
    "次/分": "/min",
    "次/min": "/min",
    "bpm": "/min",
    "℃": "Cel",
    "°C": "Cel",
    "°F": "[degF]",
}
# hl7.org/fhir/R4/valueset-observation-status.html: what was never so, or never done.
_NONE = frozenset({"entered-in-error", "cancelled"})


def newest_of(entries: Iterable[Entry]) -> dict[str, Fact]:
    """The newest value of each measurement; entries come newest first."""
    found: dict[str, Fact] = {}
    for entry in _standing(entries):
        codes, on = codes_of(entry.content.get("code")), day_of(entry)
        if codes & _PRESSURES and "systolic" not in found:
            for name, value in zip(("systolic", "diastolic"), _pressure(entry), strict=True):
                if value is not None:
                    found[name] = Fact(value=round(value), unit="mmHg", on=on)
        for code in codes & MEASURED.keys():
            name, unit, ucum, decimals = MEASURED[code]
            value = _number(entry.content, ucum)
            if name not in found and value is not None:
                found[name] = Fact(value=round(value, decimals) if decimals else round(value), unit=unit, on=on)
    return found


def pressures_of(entries: Iterable[Entry]) -> Iterator[tuple[date, float, float]]:
    """Day, systolic and diastolic of every whole pressure in mmHg, newest first."""
    for entry in _standing(entries):
        if codes_of(entry.content.get("code")) & _PRESSURES:
            above, under = _pressure(entry)
            if above is not None and under is not None:
                yield day_of(entry), above, under


def hba1cs_of(entries: Iterable[Entry]) -> Iterator[tuple[date, float]]:
    """Day and HbA1c in %, newest first."""
    for entry in _standing(entries):
        if HBA1C in codes_of(entry.content.get("code")):
            value = _number(entry.content, "%")
            if value is not None:
                yield day_of(entry), value


def day_of(entry: Entry) -> date:
    """The day of an entry where the county is."""
    return timezone.localdate(entry.occurred_at)


def codes_of(concept: dict[str, Any] | None) -> set[str]:
    """The codes of a concept."""
    return {str(one.get("code", "")) for one in (concept or {}).get("coding", [])}


def _standing(entries: Iterable[Entry]) -> Iterator[Entry]:
    return (one for one in entries if one.type == "Observation" and one.content.get("status") not in _NONE)


def _pressure(entry: Entry) -> tuple[float | None, float | None]:
    parts = {
        code: _number(part, "mm[Hg]")
        for part in entry.content.get("component", [])
        for code in codes_of(part.get("code"))
    }
    return parts.get(_SYSTOLIC), parts.get(_DIASTOLIC)


def _number(element: dict[str, Any], wanted: str) -> float | None:
    """The value of an element in a UCUM unit; None for none, and where the unit that was sent does not convert."""
    quantity = element.get("valueQuantity") or {}
    value = quantity.get("value")
    if value is None:
        return None
    sent = str(quantity.get("code") or quantity.get("unit") or wanted)
    sent = _ALSO_WRITTEN.get(sent, sent)
    # Most come in the unit of the rule, and stay the figure that was sent.
    if sent == wanted:
        return float(value)
    one, other = canonical(sent), canonical(wanted)
    # UCUM cancels mmol/mol to a pure number, and 48 mmol/mol of HbA1c (6.5 %) would be 4.8 %.
    if one is None or other is None or one.name != other.name or ("mol" in sent) != ("mol" in wanted):
        return None
    # To 9 digits: a kilopascal is 7.50063755 mmHg, and 99.1 °F are 37.2777778 ℃.
    return float(f"{(Decimal(str(value)) * one.factor + one.offset - other.offset) / other.factor:.9g}")
