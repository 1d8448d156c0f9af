"""Walks the paths of search parameters through a resource: which values stand under which parameter."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from doorstep.kernel.fhir import parameters
from doorstep.kernel.fhir.parameters import Parameter


@dataclass(frozen=True, slots=True)
class Path:
    """A path taken apart: JSON names, each with the filter it carries, and the type at the end.

    `target`: only references to this type count; `systems`: the code systems of a plain code.
    """

    steps: tuple[tuple[str, str, str], ...]
    type: str
    target: str
    systems: tuple[str, ...]


@cache
def path_of(text: str) -> Path:
    """Read a path such as "telecom[system=phone]:ContactPoint"."""
    names, _, end = text.partition(":")
    type, _, rest = end.partition("(")
    type, _, target = type.partition(">")
    steps = []
    for name in names.split(".") if names else ():
        plain, _, condition = name.rstrip("]").partition("[")
        key, _, wanted = condition.partition("=")
        steps.append((plain, key, wanted))
    return Path(tuple(steps), type, target, tuple(rest.rstrip(")").split()))


def found(node: Any, steps: tuple[tuple[str, str, str], ...]) -> list[Any]:
    """Every value at the end of the steps, lists taken apart."""
    nodes = node if isinstance(node, list) else [node]
    for name, key, wanted in steps:
        below: list[Any] = []
        for one in nodes:
            part = one.get(name) if isinstance(one, dict) else None
            if key and part is not None:
                part = _chosen(part, key, wanted)
            if isinstance(part, list):
                below += part
            elif part is not None:
                below.append(part)
        nodes = below
    return [one for one in nodes if one is not None]


def _chosen(part: Any, key: str, wanted: str) -> Any:
    """The one at a place of a list, or those that have a value."""
    if key.isdecimal():
        return part[int(key)] if isinstance(part, list) and len(part) > int(key) else None
    many = part if isinstance(part, list) else [part]
    return [one for one in many if isinstance(one, dict) and one.get(key) == wanted]


def values_of(parameter: Parameter, resource: dict[str, Any]) -> Iterator[tuple[Path, Any]]:
    """The values of one parameter with the path that each came by."""
    for text in parameter.paths:
        path = path_of(text)
        for value in found(resource, path.steps):
            if not path.target or points_at(value, path.target):
                yield path, value


def points_at(value: Any, type: str) -> bool:
    """Whether a reference is one to this type."""
    if not isinstance(value, dict):
        return False
    reference = value.get("reference")
    if isinstance(reference, str) and reference:
        parts = reference.partition("/_history/")[0].split("/")
        return len(parts) > 1 and parts[-2] == type
    return value.get("type") == type


@cache
def by_first_name(type: str) -> dict[str, tuple[tuple[Parameter, Path], ...]]:
    """The paths of a type by the JSON name that they begin with; of a resource only its own names are looked at."""
    table: dict[str, list[tuple[Parameter, Path]]] = {}
    for parameter in parameters.parameters(type).values():
        for text in parameter.paths:
            path = path_of(text)
            table.setdefault(path.steps[0][0], []).append((parameter, path))
    return {name: tuple(pairs) for name, pairs in table.items()}
