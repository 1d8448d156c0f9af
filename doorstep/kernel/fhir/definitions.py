"""What R4 says of its types: elements, cardinality, types, required codes and invariants (data/r4.json.gz)."""

import functools
import gzip
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson

from doorstep.kernel.fhir import primitives
from doorstep.kernel.fhir.fhirpath.guards import guard_of

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
    """An invariant: its key, its FHIRPath and what it means; `about`: while none of these members is there, it holds."""

    key: str
    expression: str
    human: str
    about: frozenset[str] = frozenset()

    def concerns(self, value: Any) -> bool:
        """Whether the invariant has to be asked of this value."""
        return not self.about or not isinstance(value, dict) or not self.about.isdisjoint(value)


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
    # Whether a value is surely right, for primitives without rules of their own.
    accepts: Callable[[Any], bool] | None

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
    for own in found.values():
        own.rules = tuple(_about(rule, own) for rule in own.rules)
        for element in own.elements.values():
            if element.rules and element.type in found:
                element.rules = tuple(_about(rule, found[element.type]) for rule in element.rules)
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
    return tuple(Rule(key, expression, human) for key, expression, human in rows)


def _about(rule: Rule, type: Type) -> Rule:
    """The rule with the members of the type that its guard may be written as."""
    guard = guard_of(rule.expression)
    names = [one.name for one in type.elements.values() if one.path_name == guard]
    return replace(rule, about=frozenset(names + [f"_{name}" for name in names]))


def _element(name: str, facts: dict[str, Any], codes: dict[str, dict[str, frozenset[str]]]) -> Element:
    bound = codes.get(facts["set"])
    plain = frozenset[str]().union(*bound.values()) if bound is not None else None
    is_primitive = facts["type"] in PRIMITIVES
    return Element(
        name=name,
        type=facts["type"],
        is_list=facts["list"],
        least=facts["min"],
        targets=frozenset(facts["targets"]),
        codes=bound,
        plain_codes=plain or frozenset(),
        rules=_rules(facts["rules"]),
        choice=facts.get("choice", ""),
        is_summary=facts["summary"],
        is_primitive=is_primitive,
        accepts=primitives.acceptor(facts["type"], plain) if is_primitive and not facts["rules"] else None,
    )
