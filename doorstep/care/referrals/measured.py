"""What was measured, as the criteria read it: the newest value of each sign in the unit of its rule, and the course of a treatment.

Pure. A value that was struck out is none. One whose unit does not convert into that of the rule stays unknown: 98 mg/dL are no 98 mmol/L.
So does one that nobody alive has: a probe that fell off reads a saturation of 0 %.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from django.utils import timezone

from doorstep.care.referrals.criteria import HOME, Fact
from doorstep.coordination.visits.rules import SIGNS
from doorstep.kernel.fhir.units import canonical
from doorstep.kernel.record.queries import Entry

_PRESSURES = frozenset({"85354-9", "55284-4"})
_ALONE: Mapping[str, str] = {"8480-6": "systolic", "8462-4": "diastolic"}
_ALONE_NAMES = frozenset(_ALONE.values())
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
# What can be; the house's own bounds of a slip (`visits.rules`).
_POSSIBLE: Mapping[str, tuple[float, float]] = {
    name: (float(SIGNS[sign].possible[0]), float(SIGNS[sign].possible[1]))
    for name, sign in (
        ("systolic", "systolic"),
        ("diastolic", "diastolic"),
        ("pulse", "heart_rate"),
        ("spo2", "oxygen"),
        ("temperature", "temperature"),
        ("glucose", "glucose"),
    )
} | {"hba1c": (2.0, 25.0)}
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
# hl7.org/fhir/R4/valueset-quantity-comparator.html
_BOUNDS = {"<": "<", "<=": "<", ">": ">", ">=": ">"}
# How method, category or device say that patients measured themselves; a nurse's visit at home is none of it.
_AT_HOME = re.compile(
    r"家庭|家用|居家|自测|自我监测|\bhome\b(?![ -]?visit)|\bself\b|patient[ -]reported", re.IGNORECASE
)


class Pressure(NamedTuple):
    """A whole pressure in mmHg, of a day; `home` when the patients measured it themselves."""

    on: date
    systolic: float
    diastolic: float
    home: bool = False


def newest_of(entries: Iterable[Entry]) -> dict[str, Fact]:
    """The newest value of each measurement; entries come newest first. The two pressures are those of one measurement."""
    found: dict[str, Fact] = {}
    for entry in standing_observations(entries):
        codes = codes_of(entry.content.get("code"))
        if (codes & _PRESSURES or codes & _ALONE.keys()) and not found.keys() & _ALONE_NAMES:
            found |= _pressure_facts(entry, codes)
        elif codes & _ALONE.keys():
            # The other half of a pressure that a device sent in two parts.
            for name, fact in _pressure_facts(entry, codes).items():
                if name not in found and all(found[one].on == fact.on for one in found.keys() & _ALONE_NAMES):
                    found[name] = fact
        for code in codes & MEASURED.keys():
            name, unit, ucum, decimals = MEASURED[code]
            value, bound = _number(entry.content, ucum)
            if name not in found and _can_be(name, value):
                found[name] = _fact(entry, value or 0, unit, decimals, bound)
    return found


def pressures_of(entries: Iterable[Entry]) -> Iterator[Pressure]:
    """Every whole pressure, newest first."""
    for entry in standing_observations(entries):
        if codes_of(entry.content.get("code")) & _PRESSURES:
            parts = _pressure(entry)
            if len(parts) == len(_ALONE):
                home = _how(entry.content) == HOME
                yield Pressure(day_of(entry), parts["systolic"][0], parts["diastolic"][0], home)


def hba1cs_of(entries: Iterable[Entry]) -> Iterator[tuple[date, float]]:
    """Day and HbA1c in %, newest first."""
    for entry in standing_observations(entries):
        if HBA1C in codes_of(entry.content.get("code")):
            value, bound = _number(entry.content, "%")
            if value is not None and _can_be("hba1c", value) and bound != "<":
                yield day_of(entry), value


def day_of(entry: Entry) -> date:
    """The day of an entry where the county is."""
    return timezone.localdate(entry.occurred_at)


def codes_of(concept: dict[str, Any] | None) -> set[str]:
    """The codes of a concept."""
    return {str(one.get("code", "")) for one in (concept or {}).get("coding", [])}


def standing_observations(entries: Iterable[Entry]) -> Iterator[Entry]:
    """The observations that were not struck out."""
    return (one for one in entries if one.type == "Observation" and one.content.get("status") not in _NONE)


def _pressure_facts(entry: Entry, codes: set[str]) -> dict[str, Fact]:
    if codes & _PRESSURES:
        parts = _pressure(entry)
    else:
        value, bound = _number(entry.content, "mm[Hg]")
        name = next(_ALONE[code] for code in sorted(codes & _ALONE.keys()))
        parts = {name: (value, bound)} if value is not None and _can_be(name, value) else {}
    return {name: _fact(entry, value, "mmHg", 0, bound) for name, (value, bound) in parts.items()}


def _pressure(entry: Entry) -> dict[str, tuple[float, str]]:
    """The parts of a panel that can be, each with its bound."""
    found = {}
    for part in entry.content.get("component", []):
        value, bound = _number(part, "mm[Hg]")
        for code in codes_of(part.get("code")) & _ALONE.keys():
            if value is not None and _can_be(_ALONE[code], value):
                found[_ALONE[code]] = (value, bound)
    return found


def _fact(entry: Entry, value: float, unit: str, decimals: int, bound: str) -> Fact:
    number = round(value, decimals) if decimals else round(value)
    return Fact(value=number, unit=unit, on=day_of(entry), how=_how(entry.content), bound=bound)


def _how(content: Mapping[str, Any]) -> str:
    """`HOME` where the performer is the patient or the family, or method, category or device say so; else ""."""
    by = (str(one.get("reference", "")) for one in content.get("performer") or ())
    if any(reference.startswith(("Patient/", "RelatedPerson/")) for reference in by):
        return HOME
    concepts = [content.get("method") or {}, *(content.get("category") or ())]
    words = [str(one.get("text", "")) for one in concepts]
    words += [
        str(one.get(name, ""))
        for concept in concepts
        for one in concept.get("coding", ())
        for name in ("code", "display")
    ]
    words.append(str((content.get("device") or {}).get("display", "")))
    return HOME if any(_AT_HOME.search(one) for one in words) else ""


def _can_be(name: str, value: float | None) -> bool:
    low, high = _POSSIBLE[name]
    return value is not None and low <= value <= high


def _number(element: dict[str, Any], wanted: str) -> tuple[float | None, str]:
    """The value of an element in a UCUM unit and its bound; None for none, and where the unit that was sent does not convert."""
    quantity = element.get("valueQuantity") or {}
    return _converted(quantity, wanted), _BOUNDS.get(str(quantity.get("comparator", "")), "")


def _converted(quantity: Mapping[str, Any], wanted: str) -> float | None:
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
