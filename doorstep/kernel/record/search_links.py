"""What a search reaches beyond its own type: who may be asked behind a link, and what a link brings along.

A token that covers Observations alone reads through them no Condition: neither brought along, nor by what a chain finds.
"""

from collections.abc import Sequence

from doorstep.kernel.fhir.outcome import beyond
from doorstep.kernel.fhir.parameters import Parameter, parameters, types
from doorstep.kernel.fhir.scopes import covers
from doorstep.kernel.record.search_index import number
from doorstep.kernel.record.search_values import Term, Unsupported, refused


def may_search(kinds: Sequence[str]) -> Sequence[str]:
    """Those of some types that the token may search; raises FhirRefused (403) when it is none: by what a chain finds, and what it
    does not, values of the type behind it could be guessed.
    """
    found = [kind for kind in kinds if covers(kind, "s")]
    if not found:
        raise beyond(kinds[0], "s")
    return found


def names_of(parameter: Parameter) -> list[int]:
    """The names under which the links of a reference parameter are kept."""
    codes = [code for code, _ in parameter.like] or [parameter.code]
    return [number(f"{parameter.type}.{code}") for code in codes]


def include(name: str, value: str, *, reverse: bool) -> list[Term]:
    """The terms of an _include or a _revinclude, `name` with its modifier; of a reference to any type those that the token reads.

    Raises Unsupported for a parameter that is none, FhirRefused 400 for another form and 403 when the token reads none of the types.
    """
    modifier = name.partition(":")[2]
    if modifier not in ("", "iterate", "recurse"):
        raise Unsupported(name)
    parts = value.split(":")
    if len(parts) not in (2, 3) or parts[0] not in types() or (len(parts) == 3 and parts[2] not in types()):
        raise refused(
            f"{name} 写作 类型:参数 或 类型:参数:目标类型", f"{name} is Type:parameter[:TargetType]; got {value}"
        )
    table = parameters(parts[0])
    every = [one for one in table.values() if one.kind == "reference"]
    chosen = every if parts[1] == "*" else [one for one in every if one.code == parts[1]]
    if not chosen:
        raise Unsupported(f"{name}={value}")
    if reverse and not covers(parts[0], "rs"):
        raise beyond(parts[0], "r")
    found = []
    for parameter in chosen:
        target = parts[2] if len(parts) == 3 else parameter.like[0][1] if parameter.like else ""
        term: Term = {"names": names_of(parameter), "reverse": reverse, "iterate": bool(modifier)}
        kinds = [target] if target else [""] if reverse else _brought(parameter)
        found += [{**term, **({"type": kind} if kind else {})} for kind in kinds if reverse or may_bring(kind)]
    if not found:
        raise beyond(parts[2] if len(parts) == 3 else (*chosen[0].targets, "*")[0], "r")
    return found


def _brought(parameter: Parameter) -> list[str]:
    """The types that a reference may bring along; "" for all at once where the token may read them all."""
    kinds = parameter.targets or types()
    return [""] if all(may_bring(kind) for kind in kinds) else [kind for kind in kinds if may_bring(kind)]


def may_bring(kind: str) -> bool:
    """Whether what is brought along may be of a type ("" for any): reading and searching show the same."""
    return not kind or covers(kind, "rs")
