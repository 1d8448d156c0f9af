"""R4's own code systems and value sets (hl7.org/fhir/R4/terminologies.html), read from the table that vocabulary_building.py makes.

The table is made once per installation (bin/_prepare) and made anew when its builder has changed. Reading it takes some ten
milliseconds and megabytes, so a process reads it when somebody first asks for terminology.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from doorstep.kernel.fhir import making, vocabulary_building


@dataclass(frozen=True, slots=True)
class Term:
    """One code of a code system: `parents` are the codes directly above it; `abstract` ones only group; `inactive` ones are retired."""

    code: str
    display: str
    parents: tuple[str, ...] = ()
    abstract: bool = False
    inactive: bool = False
    # Of other languages, by language.
    words: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Terms:
    """A code system with its codes in order; `whole`: whether these are all that it has."""

    url: str
    name: str
    version: str
    whole: bool
    terms: Mapping[str, Term]


@cache
def code_system(url: str) -> Terms | None:
    """One of the code systems that R4 defines or brings along; None for others and for those it only names."""
    found = _table()["systems"].get(url)
    if found is None:
        return None
    name, version, whole, rows = found
    terms = {row[0]: Term(row[0], row[1], tuple(row[2]), "a" in row[3], "i" in row[3]) for row in rows}
    return Terms(url, name, version, whole, terms)


def value_set(url: str) -> dict[str, Any] | None:
    """One of R4's value sets, as a ValueSet with its `compose`."""
    found = _table()["sets"].get(url)
    return None if found is None else {"resourceType": "ValueSet", "url": url, "status": "active", **found}


@cache
def _table() -> dict[str, Any]:
    return making.table("vocabulary", ("vocabulary_building.py",), vocabulary_building.build)


if __name__ == "__main__":
    _table()
    sys.exit(0)
