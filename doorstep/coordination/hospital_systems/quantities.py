"""Numbers with units as hospitals write them, as Quantity and referenceRange of FHIR; the same for messages and tables."""

import re
from decimal import Decimal

from doorstep.kernel.exchange import codes
from doorstep.kernel.exchange.codes import Target
from doorstep.kernel.exchange.formats import Task
from doorstep.kernel.exchange.units import as_it_stands
from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.fhir.decimals import Exact
from doorstep.kernel.fhir.elements import Json

_FIGURE = r"[-+]?[0-9]{1,15}(?:\.[0-9]{1,15})?"
# A count of copies may be written with a power of ten; one that no floating number holds is words.
_NUMBER = re.compile(rf"{_FIGURE}(?:[eE][-+]?[0-9]{{1,2}})?")
_RANGE = re.compile(rf"({_FIGURE})\s*(?:-{{1,2}}|~|～|—|–|至)\s*({_FIGURE})")
_BOUND = re.compile(rf"(<=|>=|<|>|≤|≥|＜|＞)\s*({_FIGURE})")
# Digits of a whole number that every reader of JSON holds.
_SAFE = 15
_COMPARATORS = {"≤": "<=", "≥": ">=", "＜": "<", "＞": ">", "=": ""}


def number_of(text: str) -> Decimal | None:
    """The number that a text is; None for words, and for what only begins with one."""
    text = text.strip()
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def bound_of(text: str) -> tuple[str, Decimal] | None:
    """The comparator and number of a text such as <0.01 or ≥100; None for another text."""
    found = _BOUND.fullmatch(text.strip())
    return (comparator_of(found[1]), Decimal(found[2])) if found else None


def comparator_of(sign: str) -> str:
    """The comparator of FHIR for a sign; "" for none and for equality."""
    return _COMPARATORS.get(sign, sign)


def plain(number: Decimal) -> Exact | int:
    """A number with the places that its sender wrote: 7.80 says more than 7.8 (hl7.org/fhir/R4/datatypes.html#decimal)."""
    written = f"{number:f}"
    return Exact(written) if "." in written or len(written) > _SAFE else int(written)


def quantity(task: Task, number: Decimal, *, unit: str, display: str = "", comparator: str = "") -> Json:
    """A Quantity; the unit by the sender's mapping, else as the UCUM that it is as it stands."""
    found: Json = {"value": plain(number), "unit": display or unit}
    if unit:
        ucum = as_it_stands(unit)
        target = codes.target_of(
            task, table="unit", code=unit, display=display, plain=Target(systems.UCUM, ucum, ucum) if ucum else None
        )
        if target is not None:
            found |= {"system": target.system, "code": target.code}
    if comparator in ("<", "<=", ">", ">="):
        found["comparator"] = comparator
    return elements.compact(found)


def reference_range(task: Task, text: str, *, unit: str, display: str = "") -> list[Json]:
    """A referenceRange: the words as they came, and their bounds where they are numbers."""
    text = text.strip()
    if not text:
        return []
    found: Json = {"text": text}
    span, bound = _RANGE.fullmatch(text), bound_of(text)
    if span is not None:
        found["low"] = quantity(task, Decimal(span[1]), unit=unit, display=display)
        found["high"] = quantity(task, Decimal(span[2]), unit=unit, display=display)
    elif bound is not None:
        side = "high" if bound[0] in ("<", "<=") else "low"
        found[side] = quantity(task, bound[1], unit=unit, display=display)
    return [found]
