"""The R4 search parameters, elements of summaries and UCUM units, read from the table that building.py makes.

The table is made once per installation (bin/_prepare) and made anew when the builder has changed; it takes a second.
Reading it takes milliseconds, so every process reads its own when it first needs it.
"""

import sys
from dataclasses import dataclass
from functools import cache
from typing import Any

from doorstep.kernel.fhir import building, making

_SOURCES = ("building.py", "expressions.py")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One search parameter of one type.

    `paths` lead to its values; `like` names other parameters of the type that together hold the same values, each with the
    target type it is narrowed to. `groups` and `components` belong to composites only. `single`: at most one value. `url` is the
    canonical address of its SearchParameter.
    """

    type: str
    code: str
    kind: str
    paths: tuple[str, ...]
    single: bool
    targets: tuple[str, ...]
    like: tuple[tuple[str, str], ...]
    groups: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...]
    components: tuple[tuple[str, str], ...]
    url: str


def types() -> tuple[str, ...]:
    """Every R4 resource type, sorted."""
    return tuple(_table()["types"])


@cache
def parameters(type: str) -> dict[str, Parameter]:
    """The search parameters of a type by code; KeyError for what is no R4 resource type."""
    return {code: _parameter(type, code, one) for code, one in _table()["types"][type]["parameters"].items()}


@cache
def shown_in_summary(type: str) -> frozenset[str]:
    """The top elements that `_summary=true` shows."""
    return frozenset(_table()["types"][type]["summary"])


def units() -> dict[str, Any]:
    """UCUM: "prefixes" and "atoms" as [factor, dimensions, takes prefixes, special, arbitrary]."""
    found: dict[str, Any] = _table()["units"]
    return found


def _parameter(type: str, code: str, one: dict[str, Any]) -> Parameter:
    return Parameter(
        type=type,
        code=code,
        kind=one["kind"],
        paths=tuple(one.get("paths", ())),
        single=one.get("single", False),
        targets=tuple(one.get("targets", ())),
        like=tuple((other, target) for other, target in one.get("like", ())),
        groups=tuple((group["at"], tuple(map(tuple, group["parts"]))) for group in one.get("groups", ())),
        components=tuple((name, kind) for name, kind in one.get("components", ())),
        url=one["url"],
    )


@cache
def _table() -> dict[str, Any]:
    return making.table("definitions", _SOURCES, building.build)


if __name__ == "__main__":
    _table()
    sys.exit(0)
