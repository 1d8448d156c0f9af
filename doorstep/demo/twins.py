"""A hospital's list of people, some of whom the county knows: seeded misspellings as Chinese registration desks make them.

What happens to a person on the way into another list: the number is missing or slips by one digit, the name gets a
character of the same or a near sound or simply another one, day and month change places, a digit of the birth date
slips, the phone is new, the family has moved, the address is written shorter. The rates are our own choice (口径待核).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

import numpy as np

from doorstep.demo.county.columns import Array
from doorstep.demo.county.county import build_county
from doorstep.demo.county.names import SURNAMES, given_characters
from doorstep.demo.county.residents import generate
from doorstep.kernel.fhir import spelling
from doorstep.people.identity.matching import Facts
from doorstep.people.residents.rules import sound

# The share of twins to which each happens, independently of the others.
RATES: dict[str, float] = {
    "number-missing": 0.15,
    "number-slip": 0.04,
    "name-homophone": 0.05,
    "name-other": 0.03,
    "birth-swapped": 0.02,
    "birth-slip": 0.02,
    "phone-new": 0.30,
    "phone-missing": 0.10,
    "moved": 0.15,
    "address-shorter": 0.30,
}


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a list; `truth` is the number of the person behind it, which the linkage never sees."""

    id: int
    truth: int
    facts: Facts


@dataclass(frozen=True, slots=True)
class Lists:
    """The people that the county knows, and the hospital's list: twins of some of them, and people whom nobody knows."""

    known: list[Listed]
    hospital: list[Listed]
    twins: int


def make_lists(*, residents: int, listed: int, twins: float, seed: int, today: date) -> Lists:
    """A county of `residents` and a hospital's list of `listed` lines, of which the share `twins` is known to the county."""
    shared = min(int(listed * twins), residents)
    people = _people(residents + listed - shared, seed=seed, today=today)
    known = [Listed(number, number, facts) for number, facts in enumerate(people[:residents])]
    rng = np.random.default_rng([seed, 20])
    chosen = np.sort(rng.choice(residents, size=shared, replace=False))
    numbers = [*chosen.tolist(), *range(residents, len(people))]
    addresses = [one.address for one in people[: min(len(people), 20_000)]]
    hospital = [
        Listed(line, number, _twin(people[number], rng, addresses, line) if number < residents else people[number])
        for line, number in enumerate(numbers)
    ]
    return Lists(known, hospital, shared)


def _people(count: int, *, seed: int, today: date) -> list[Facts]:
    found: list[Facts] = []
    for batch in generate(build_county(seed, today), residents=count, years=1):
        columns = dict(zip(batch.residents.names, batch.residents.arrays, strict=True))
        rows = zip(*(_plain(columns[name]) for name in _COLUMNS), strict=True)
        found += [
            Facts(name=name, birth_date=born, gender=gender, number=number or "", phone=phone or "", address=address)
            for name, born, gender, number, phone, address in rows
        ]
    return found[:count]


_COLUMNS = ("name", "birth_date", "gender", "national_id", "phone", "address")


def _plain(column: Array) -> list[object]:
    return list(column.astype("datetime64[D]").astype(object) if column.dtype.kind == "M" else column.tolist())


def _twin(person: Facts, rng: np.random.Generator, addresses: Sequence[str], line: int) -> Facts:
    """The same person as another desk wrote it down."""
    happened = dict(zip(RATES, (rng.random(len(RATES)) < list(RATES.values())).tolist(), strict=True))
    born = person.birth_date or date(1900, 1, 1)
    name, number, phone, address = person.name, person.number, person.phone, person.address
    if happened["name-homophone"]:
        name = _with_homophone(name, rng)
    elif happened["name-other"]:
        name = _replaced(name, rng, lambda _old: _pick(rng, given_characters()))
    if happened["birth-swapped"] and born.day <= 12 and born.day != born.month:
        born = date(born.year, born.day, born.month)
    elif happened["birth-slip"]:
        born = _slipped_day(born, rng)
    if happened["number-missing"]:
        number = ""
    elif happened["number-slip"] and number:
        number = _slipped(number, rng)
    if happened["phone-missing"]:
        phone = ""
    elif happened["phone-new"]:
        phone = f"1542{line:07d}"
    if happened["moved"]:
        address = _pick(rng, addresses)
    elif happened["address-shorter"]:
        address = address.split("镇")[-1].split("街道")[-1]
    return Facts(name=name, birth_date=born, gender=person.gender, number=number, phone=phone, address=address)


def _with_homophone(name: str, rng: np.random.Generator) -> str:
    return _replaced(name, rng, lambda old: _pick(rng, homophones(old)) if homophones(old) else old)


def homophones(character: str) -> tuple[str, ...]:
    """Other characters of given names that sound like this one."""
    return _alike().get(character, ())


def _replaced(name: str, rng: np.random.Generator, other: Callable[[str], str]) -> str:
    """One character of the given name exchanged."""
    place = 1 + int(rng.integers(len(name) - 1))
    return name[:place] + other(name[place]) + name[place + 1 :]


def _slipped(number: str, rng: np.random.Generator) -> str:
    place = 6 + int(rng.integers(11))
    digit = (int(number[place]) + 1 + int(rng.integers(9))) % 10
    return f"{number[:place]}{digit}{number[place + 1 :]}"


def _slipped_day(born: date, rng: np.random.Generator) -> date:
    """Another day of the same month, or another year of the same decade."""
    if rng.random() < 0.5:
        return born.replace(year=born.year // 10 * 10 + int(rng.integers(10)), day=min(born.day, 28))
    return born.replace(day=max(1, min(28, born.day // 10 * 10 + int(rng.integers(10)))))


def _pick(rng: np.random.Generator, among: Sequence[str]) -> str:
    return among[int(rng.integers(len(among)))]


@cache
def _alike() -> dict[str, tuple[str, ...]]:
    """For every character of the given names the others that sound alike."""
    known = sorted({*given_characters(), *SURNAMES, *"贵蓝岚柳娇姗芸筠昕馨鑫峻骏伶铃妹昱钰育裕渝希熙西惜"})
    sounds = {character: sound(spelling.syllables(character)[0]) for character in known}
    return {
        one: others
        for one in known
        if (others := tuple(other for other in known if other != one and sounds[other] == sounds[one]))
    }
