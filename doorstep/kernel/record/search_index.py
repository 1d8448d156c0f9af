"""The rows that the index of searches keeps of a resource: facts with their names as numbers.

A name or value that is only ever compared for equality is kept as 64 bits of its BLAKE2b: narrow rows, narrow indexes.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from doorstep.kernel.fhir.spans import FIRST, LAST
from doorstep.kernel.record.search_facts import Amount, Facts, facts_of


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
    return index_of_facts(facts_of(resource), f"{resource['resourceType']}/{resource['id']}")


def index_of_facts(facts: Facts, address: str) -> Index:
    """The index rows of facts that are known already."""
    rest: dict[str, list[list[Any]]] = {
        "links": sorted([number(name), number(target)] for name, target in facts.links),
        "dates": [[number(name), instant(low), instant(high)] for name, low, high in sorted(facts.dates)],
        "amounts": [[number(name), *amount_row(amount)] for name, amount in sorted(facts.amounts, key=repr)],
        "strings": [[number(name), norm, text] for name, norm, text in sorted(facts.strings)],
        "words": [[number(name), norm, number(key)] for name, norm, key in sorted(facts.words)],
    }
    rest = {name: rows for name, rows in rest.items() if rows}
    return Index(
        ref=number(address),
        keys=sorted({number(key) for key in facts.keys}),
        present=sorted({small(name) for name in facts.present}),
        rest=rest,
        facts=number.__wrapped__(repr(rest)),
    )


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
