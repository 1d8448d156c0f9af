"""A search of several types at once (hl7.org/fhir/R4/http.html#vsearch): every parameter must be one of each of the types."""

from collections.abc import Sequence

from doorstep.kernel.fhir.outcome import FhirRefused
from doorstep.kernel.fhir.parameters import types
from doorstep.kernel.record.search_query import Query, parse
from doorstep.kernel.record.search_values import Setting, refused

Pairs = Sequence[tuple[str, str]]
TYPE = "_type"
# What every type can be sorted by.
_SORTED_BY = {"updated", "id"}


def parse_each(pairs: Pairs, *, setting: Setting, strict: bool) -> tuple[tuple[Query, ...], Query]:
    """What is asked of each type, and the whole as a query: how many, what to bring along, what a lenient client is warned of.

    Raises FhirRefused (400) for a type or parameter that is not known; a lenient client's search goes without it.
    """
    named = named_types(pairs)
    unknown = [one for one in named if one not in types()]
    if unknown and strict:
        raise FhirRefused(400, "value", f"没有资源类型 {unknown[0][:60]} / there is no resource type {unknown[0][:60]}")
    kinds = [one for one in named if one in types()] if named else list(types())
    asked = [pair for pair in pairs if pair[0] != TYPE]
    each = _parsed(kinds, asked, setting, strict)
    missing = list(dict.fromkeys(name for one in each for name in one.unknown))
    if missing:
        # What one type does not know is asked of none: half a condition would find what was not meant.
        each = _parsed(kinds, [pair for pair in asked if pair[0] not in missing], setting, strict)
    for one in (sort for query in each for sort in query.sort):
        if one["by"] not in _SORTED_BY:
            raise refused(
                "多类型查询的 _sort 只能是 _lastUpdated 或 _id", "several types take _sort by _lastUpdated or _id"
            )
    whole = each[0] if each else Query(type="Resource")
    whole.applied = [*((name, value) for name, value in pairs if name == TYPE), *whole.applied]
    whole.unknown = [*([TYPE] if unknown else []), *missing]
    return tuple(each), whole


def named_types(pairs: Pairs) -> list[str]:
    """The types that `_type` names, each once."""
    values = (one.strip() for name, value in pairs if name == TYPE for one in value.split(","))
    return list(dict.fromkeys(one for one in values if one))


def _parsed(kinds: Sequence[str], pairs: Pairs, setting: Setting, strict: bool) -> list[Query]:
    return [parse(kind, pairs, setting=setting, strict=strict) for kind in kinds]
