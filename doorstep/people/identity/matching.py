"""How likely two records are one person: pure rules over their facts, for the desk and, as the same figures, for batches."""

import math
from dataclasses import dataclass
from datetime import date
from functools import cache

from doorstep.kernel.fhir import spelling
from doorstep.people.identity.weights import AUTOMATIC, LEVELS, RAREST, REVIEW, Level
from doorstep.people.residents.rules import sound

_SWAPPABLE = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a record says of a person; what it does not say is empty."""

    name: str = ""
    birth_date: date | None = None
    gender: str = ""
    number: str = ""
    phone: str = ""
    address: str = ""

    @property
    def pinyin(self) -> str:
        """The name as it is spelled."""
        return spelled(self.name)


def spelled(name: str) -> str:
    """A name in pinyin without spaces, character by character: a list of a million names has a few thousand characters."""
    surname = spelling.SURNAMES.get(name[:1])
    return surname + "".join(map(_syllable, name[1:])) if surname else "".join(map(_syllable, name))


@cache
def _syllable(character: str) -> str:
    return "".join(spelling.syllables(character)).strip().lower()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The weight in bits, the probability, and the level of every field that both records fill."""

    weight: float
    probability: float
    levels: dict[str, str]

    @property
    def automatic(self) -> bool:
        """Whether the two may be linked without a person's word."""
        return self.probability >= AUTOMATIC and may_link(self.levels)

    @property
    def worth_a_look(self) -> bool:
        """Whether a person should decide.

        Two whole numbers with two names are two people: twins, one house, one phone. Another name and another birth date are the
        family that shares house and phone, unless the number is the same.
        """
        apart = {field for field, level in self.levels.items() if level == "different"}
        family = {"name", "birth_date"} <= apart and self.levels.get("number") not in ("same", "typo")
        return self.probability >= REVIEW and not {"number", "name"} <= apart and not family


def may_link(levels: dict[str, str]) -> bool:
    """Whether the kind of likeness allows a link without a person's word, however high the probability.

    Never against another number of an identity document. Without the same number the names must sound alike: brothers
    and sisters born on one day share birth date, phone and address, and their names differ in one character.
    """
    number = levels.get("number", "")
    if number == "different":
        return False
    if number in ("same", "typo"):
        return levels.get("name") != "different" or levels.get("birth_date") == "same"
    return levels.get("name") in ("same", "homophone", "near-sound")


def compare(one: Facts, other: Facts, *, population: int, shares: dict[str, float] | None = None) -> Verdict:
    """Compare two records. population: how many people there are; shares: how frequent this name, phone, address is."""
    levels = levels_of(one, other)
    weight = -math.log2(max(population, 2) - 1)
    for field, level in levels.items():
        share = (shares or {}).get(field)
        weight += _weight(field, level, share)
    probability = 1 / (1 + 2**-weight) if weight < 60 else 1.0
    return Verdict(weight, probability, {field: level.code for field, level in levels.items()})


def levels_of(one: Facts, other: Facts) -> dict[str, Level]:
    """The level of every field that both records fill."""
    found = {
        "number": _number(one.number, other.number),
        "name": _name(one, other),
        "birth_date": _birth(one.birth_date, other.birth_date),
        "gender": _equal(one.gender, other.gender, unknown=("unknown", "other")),
        "phone": _equal(one.phone, other.phone),
        "address": _address(one.address, other.address),
    }
    return {field: _level(field, code) for field, code in found.items() if code}


def _weight(field: str, level: Level, share: float | None) -> float:
    u = max(share, RAREST[field]) if level.frequent and share is not None else level.u
    return math.log2(level.m / u)


def _level(field: str, code: str) -> Level:
    return next(level for level in LEVELS[field] if level.code == code)


def _equal(one: str, other: str, unknown: tuple[str, ...] = ()) -> str:
    if not one or not other or one in unknown or other in unknown:
        return ""
    return "same" if one == other else "different"


def _number(one: str, other: str) -> str:
    if not one or not other:
        return ""
    if one == other:
        return "same"
    return "typo" if one_slip(one, other) else "different"


def _name(one: Facts, other: Facts) -> str:
    if not one.name or not other.name:
        return ""
    if one.name == other.name:
        return "same"
    if one.pinyin == other.pinyin:
        return "homophone"
    if sound(one.pinyin) == sound(other.pinyin):
        return "near-sound"
    same_length = len(one.name) == len(other.name)
    apart = sum(left != right for left, right in zip(one.name, other.name, strict=False))
    return "one-character" if same_length and apart == 1 else "different"


def _birth(one: date | None, other: date | None) -> str:
    if one is None or other is None:
        return ""
    if one == other:
        return "same"
    if one.year == other.year and one.month == other.day and one.day == other.month:
        return "swapped"
    left, right = one.strftime("%Y%m%d"), other.strftime("%Y%m%d")
    return "one-digit" if sum(a != b for a, b in zip(left, right, strict=True)) == 1 else "different"


def _address(one: str, other: str) -> str:
    one, other = clean_address(one), clean_address(other)
    if not one or not other:
        return ""
    if one == other:
        return "same"
    # The same place written shorter: the county or the town left out.
    return "near" if one.endswith(other) or other.endswith(one) else "different"


def clean_address(address: str) -> str:
    """An address without spaces and punctuation."""
    return "".join(filter(str.isalnum, address))


def one_slip(one: str, other: str) -> bool:
    """Whether two texts of equal length differ by one character, or by two neighbours that changed places."""
    if len(one) != len(other):
        return False
    apart = [place for place, (left, right) in enumerate(zip(one, other, strict=True)) if left != right]
    if len(apart) == 1:
        return True
    return (
        len(apart) == 2
        and apart[1] == apart[0] + 1
        and one[apart[0]] == other[apart[1]]
        and one[apart[1]] == other[apart[0]]
    )
