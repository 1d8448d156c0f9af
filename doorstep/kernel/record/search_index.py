"""The rows that the index of searches keeps of a resource: facts with their names as numbers.

A name or value that is only ever compared for equality is kept as 64 bits of its BLAKE2b: narrow rows, narrow indexes.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from doorstep.kernel.fhir import exact
from doorstep.kernel.fhir.spans import FIRST, LAST
from doorstep.kernel.fhir.values import by_first_name
from doorstep.kernel.record.search_facts import Amount, Facts, facts_of

# Others differ in their moments, too: there each element is remembered by itself.
_ALIKE = "Appointment"
# Stands for the patient of a stencil; no key of a resident looks like it.
_ANYBODY = "Patient/-"
_PATIENT = re.compile(r'"(Patient/[A-Za-z0-9.-]{2,64})"')


@lru_cache(maxsize=50_000)
def number(text: str) -> int:
    """The number that stands for a text in the index: a signed 64-bit integer."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big", signed=True)


@lru_cache(maxsize=5_000)
def small(text: str) -> int:
    """The number of a parameter in the list of those that a resource has: a signed 32-bit integer."""
    return int.from_bytes(blake2b(text.encode(), digest_size=4).digest(), "big", signed=True)


@dataclass(frozen=True, slots=True)
class Index:
    """Index rows of one resource: `keys` and `present` stand in its row, `rest` goes to record_index as JSON.

    `facts` is a number for all of `rest`: a version that has the same one leaves these rows alone.
    """

    ref: int
    keys: list[int]
    present: list[int]
    rest: dict[str, list[list[Any]]]
    facts: int


def index_of(resource: dict[str, Any]) -> Index:
    """The index rows of a resource with `resourceType` and `id`."""
    address = f"{resource['resourceType']}/{resource['id']}"
    return like_another(resource, address) or index_of_facts(facts_of(resource), address)


def like_another(resource: dict[str, Any], address: str) -> Index | None:
    """The rows by those of a resource that differs only in its patient, and in what no search asks for; None when there can be none.

    Ten appointments of one clinic differ in nothing else, and finding the facts of one is most of the work of writing it.
    """
    type = str(resource["resourceType"])
    if type != _ALIKE:
        return None
    table = by_first_name(type)
    asked = exact.dumps({name: value for name, value in resource.items() if name in table and name != "id"}).decode()
    named = set(_PATIENT.findall(asked))
    if len(named) != 1:
        return None
    patient = named.pop()
    stencil = _stencil(type, asked.replace(f'"{patient}"', f'"{_ANYBODY}"'))
    if stencil is None:
        return None
    target = number(patient)
    rest = dict(stencil.rest)
    # A reference to a version of the patient is a link that stands in the stencil already.
    links = {(name, other) for name, other in stencil.rest["links"]} | {(name, target) for name in stencil.names}
    rest["links"] = sorted(map(list, links))
    return Index(number(address), stencil.keys, stencil.present, rest, facts_number(rest))


@dataclass(frozen=True, slots=True)
class _Stencil:
    """The index rows of resources that differ in their patient: all but the links to it, and under which names these stand."""

    keys: list[int]
    present: list[int]
    rest: dict[str, list[list[Any]]]
    names: tuple[int, ...]


@lru_cache(maxsize=2_000)
def _stencil(type: str, asked: str) -> _Stencil | None:
    facts = facts_of({"resourceType": type, **exact.loads(asked)})
    names = tuple(number(name) for name, target in facts.links if target == _ANYBODY)
    facts.links = {(name, target) for name, target in facts.links if target != _ANYBODY}
    if not names or _ANYBODY.casefold() in repr(facts).casefold():
        return None
    plain = index_of_facts(facts, "")
    return _Stencil(plain.keys, plain.present, {"links": [], **plain.rest}, names)


def index_of_facts(facts: Facts, address: str) -> Index:
    """The index rows of facts that are known already."""
    rest: dict[str, list[list[Any]]] = {
        "links": sorted([number(name), number(target)] for name, target in facts.links),
        "dates": [[number(name), instant(low), instant(high)] for name, low, high in sorted(facts.dates)],
        "amounts": [[number(name), *amount_row(amount)] for name, amount in sorted(facts.amounts, key=_order)],
        "strings": [[number(name), norm, text] for name, norm, text in sorted(facts.strings)],
        "words": [[number(name), norm, number(key)] for name, norm, key in sorted(facts.words)],
    }
    rest = {name: rows for name, rows in rest.items() if rows}
    return Index(
        ref=number(address),
        keys=sorted({number(key) for key in facts.keys}),
        present=sorted({small(name) for name in facts.present}),
        rest=rest,
        facts=facts_number(rest),
    )


def facts_number(rest: dict[str, list[list[Any]]]) -> int:
    """The number that stands for all rows but the keys (Index.facts)."""
    return number.__wrapped__(repr(rest))


def _order(named: tuple[str, Amount]) -> tuple[str, float, float, str, str, str]:
    name, amount = named
    return name, amount.low, amount.high, amount.code, amount.unit, amount.system


@lru_cache(maxsize=8192)
def instant(moment: datetime) -> str:
    """A moment as PostgreSQL reads it; the ends of time have names of their own."""
    if moment <= FIRST:
        return "-infinity"
    return "infinity" if moment >= LAST else moment.isoformat()


def amount_row(amount: Amount) -> list[Any]:
    """low, high, unit, code, system and code, base, base low, base high; numbers as text, as JSON has no infinity."""
    return [
        repr(amount.low),
        repr(amount.high),
        number(amount.unit) if amount.unit else None,
        number(amount.code) if amount.code else None,
        number(f"{amount.system}|{amount.code}") if amount.code else None,
        number(amount.base) if amount.base else None,
        None if amount.base_low is None else repr(amount.base_low),
        None if amount.base_high is None else repr(amount.base_high),
    ]
