"""What R4 says of its types: elements, cardinality, types, required codes and invariants (data/r4.json.gz)."""

import functools
import gzip
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

DATA = Path(__file__).parent / "data" / "r4.json.gz"
PRIMITIVES = frozenset(
    [
        "base64Binary",
        "boolean",
        "canonical",
        "code",
        "date",
        "dateTime",
        "decimal",
        "id",
        "instant",
        "integer",
        "markdown",
        "oid",
        "positiveInt",
        "string",
        "time",
        "unsignedInt",
        "uri",
        "url",
        "uuid",
        "xhtml",
    ]
)


@dataclass(slots=True)
class Rule:
    """An invariant: its key, its FHIRPath and what it means."""

    key: str
    expression: str
    human: str


@dataclass(slots=True)
class Element:
    """One JSON member of a type."""

    name: str
    type: str
    is_list: bool
    least: int
    targets: frozenset[str]
    codes: dict[str, frozenset[str]] | None
    # Every code of the binding, whatever its system: what a bare code is held against.
    plain_codes: frozenset[str]
    rules: tuple[Rule, ...]
    choice: str
    is_summary: bool
    is_primitive: bool

    @property
    def path_name(self) -> str:
        """The element's name in FHIRPath: a choice goes by its stem."""
        return self.choice or self.name


@dataclass(slots=True)
class Type:
    """A resource, a data type or a part of one."""

    name: str
    elements: dict[str, Element] = field(default_factory=dict)
    # FHIRPath name -> the JSON names of which one must be there.
    required: tuple[tuple[str, tuple[str, ...]], ...] = ()
    rules: tuple[Rule, ...] = ()


@functools.cache
def types() -> dict[str, Type]:
    """Every type by its name or path ("Observation.component")."""
    data = _data()
    codes = required_codes()
    found = {name: Type(name, rules=_rules(facts["invariants"])) for name, facts in data["types"].items()}
    for name, facts in data["types"].items():
        own = found[name]
        own.elements = {member: _element(member, one, codes) for member, one in facts["elements"].items()}
        needed: dict[str, tuple[str, ...]] = {}
        for element in own.elements.values():
            if element.least:
                needed[element.path_name] = (*needed.get(element.path_name, ()), element.name)
        own.required = tuple(needed.items())
    return found


@functools.cache
def required_codes() -> dict[str, dict[str, frozenset[str]]]:
    """The codes of R4's required value sets that can be listed: url -> system -> codes."""
    return {
        url: {system: frozenset(names) for system, names in systems.items()}
        for url, systems in _data()["codes"].items()
    }


@functools.cache
def resource_types() -> frozenset[str]:
    """The names of all resource types of R4."""
    # The package of the definitions also holds one type of R4B.
    return frozenset(_data()["resources"]) - {"SubscriptionStatus"}


def _data() -> dict[str, Any]:
    data: dict[str, Any] = orjson.loads(gzip.decompress(DATA.read_bytes()))
    return data


def _rules(rows: list[list[str]]) -> tuple[Rule, ...]:
    return tuple(Rule(*row) for row in rows)


def _element(name: str, facts: dict[str, Any], codes: dict[str, dict[str, frozenset[str]]]) -> Element:
    bound = codes.get(facts["set"])
    return Element(
        name=name,
        type=facts["type"],
        is_list=facts["list"],
        least=facts["min"],
        targets=frozenset(facts["targets"]),
        codes=bound,
        plain_codes=frozenset().union(*bound.values()) if bound else frozenset(),
        rules=_rules(facts["rules"]),
        choice=facts.get("choice", ""),
        is_summary=facts["summary"],
        is_primitive=facts["type"] in PRIMITIVES,
    )
