"""UCUM units (ucum.org): any valid unit as a factor to its canonical unit, so that 0.5 g/L and 50 mg/dL are found alike."""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from doorstep.kernel.fhir import parameters

Dimensions = tuple[int, ...]
_NONE: Dimensions = (0,) * 8
# Kept apart from the physical dimensions: one mole is a number in UCUM, and would be compared with counts.
_AVOGADRO = Decimal("6.0221367e23")
_TEMPERATURES = {"Cel": (Decimal(1), Decimal("273.15")), "[degF]": (Decimal(5) / 9, Decimal("459.67") * 5 / 9)}
_LONGEST = 100
_TOKEN = re.compile(r"\{[^}]*\}|\.|/|\(|\)|[^./(){}]+")
_EXPONENT = re.compile(r"(.*?[^+\-\d])([+-]?\d+)$")


@dataclass(frozen=True, slots=True)
class Canonical:
    """canonical = (value * factor) + offset, in the unit that `name` stands for."""

    name: str
    factor: Decimal
    offset: Decimal = Decimal(0)

    def of(self, value: Decimal) -> Decimal:
        """A value in the canonical unit, to 12 significant digits."""
        return Decimal(f"{value * self.factor + self.offset:.11e}")


@lru_cache(maxsize=4096)
def canonical(code: str) -> Canonical | None:
    """The canonical form of a UCUM unit; None for what is no unit or cannot be converted by a factor."""
    if not code or len(code) > _LONGEST:
        return None
    if code in _TEMPERATURES:
        return Canonical("K", *_TEMPERATURES[code])
    try:
        factor, dimensions, names = _term(_TOKEN.findall(code), 0)[0]
    except (ValueError, KeyError, IndexError, InvalidOperation, OverflowError):
        return None
    name = ",".join(map(str, dimensions)) + "".join(sorted(names))
    return Canonical(name, factor)


_Unit = tuple[Decimal, Dimensions, tuple[str, ...]]


def _term(parts: list[str], start: int) -> tuple[_Unit, int]:
    """The product from a position on, up to the end or a closing bracket."""
    whole: _Unit = (Decimal(1), _NONE, ())
    position, divide = start, False
    while position < len(parts):
        part = parts[position]
        position += 1
        if part == ")":
            return whole, position
        if part in "./":
            divide = part == "/"
            continue
        if part == "(":
            unit, position = _term(parts, position)
        elif part.startswith("{"):
            unit = (Decimal(1), _NONE, ())
        else:
            unit = _simple(part)
        whole = _times(whole, unit, -1 if divide else 1)
        divide = False
    return whole, position


def _simple(token: str) -> _Unit:
    """A number, or an atom with prefix and exponent; KeyError when there is no such atom."""
    if token.isdecimal():
        return Decimal(token), _NONE, ()
    atoms = parameters.units()["atoms"]
    exponent = 1
    found = None if token in atoms else _EXPONENT.match(token)
    if found:
        token, exponent = found[1], int(found[2])
        if token in ("10*", "10^"):
            return Decimal(10) ** exponent, _NONE, ()
    unit = _atom(token)
    return _times((Decimal(1), _NONE, ()), unit, exponent)


def _atom(token: str) -> _Unit:
    given = parameters.units()
    if token in given["atoms"]:
        return _known(token, Decimal(1))
    for prefix in sorted(given["prefixes"], key=len, reverse=True):
        rest = token[len(prefix) :]
        if token.startswith(prefix) and rest in given["atoms"] and (given["atoms"][rest][2] or rest in "mgs"):
            return _known(rest, Decimal(repr(given["prefixes"][prefix])))
    raise KeyError(token)


def _known(code: str, prefix: Decimal) -> _Unit:
    factor, dimensions, _metric, special, arbitrary = parameters.units()["atoms"][code]
    if special:
        raise KeyError(code)
    if arbitrary:
        # An international unit is comparable with itself only.
        return prefix, _NONE, (code.lower(),)
    magnitude = Decimal(repr(factor)) / _AVOGADRO ** int(dimensions[7])
    return prefix * magnitude, tuple(dimensions), ()


def _times(one: _Unit, other: _Unit, exponent: int) -> _Unit:
    names = tuple(f"{name}^{exponent}" for name in other[2])
    return (
        one[0] * other[0] ** exponent,
        tuple(a + b * exponent for a, b in zip(one[1], other[1], strict=True)),
        one[2] + names,
    )
