"""Searches of AuditEvents: the parameters of R4 as conditions on the trail (hl7.org/fhir/R4/auditevent.html#search)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import reduce
from operator import or_

from django.db.models import Q

from doorstep.kernel.fhir.outcome import FhirRefused
from doorstep.kernel.fhir.parameters import parameters
from doorstep.kernel.fhir.spans import span
from doorstep.kernel.record.search_values import Unsupported, refused, split, unescaped
from doorstep.people.organizations import queries as organizations
from doorstep.people.residents import queries as residents
from doorstep.people.workforce import queries as workforce
from doorstep.site.auditing import fhir, fhir_chains

TYPE = "AuditEvent"
_NONE, _ALL = Q(pk__in=[]), Q()
_MOST = 200
_ELSEWHERE = {"_format", "_pretty", "_cursor"}
_SORTS = {"date": False, "-date": True, "_lastUpdated": False, "-_lastUpdated": True}
_TOTALS = {"none": 0, "estimate": 10_000, "accurate": 1 << 40}


@dataclass(slots=True)
class Search:
    """A search of the trail as it was understood."""

    conditions: list[Q] = field(default_factory=list)
    count: int = 50
    total: int = 0
    newest_first: bool = True
    elements: list[str] = field(default_factory=list)
    summary: str = "false"
    include: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    applied: list[tuple[str, str]] = field(default_factory=list)


def parse(pairs: list[tuple[str, str]], *, strict: bool) -> Search:
    """Read a search; what is not known is refused by name (400) when strict, and kept in `unknown` otherwise."""
    found = Search()
    for name, value in pairs:
        try:
            _add(found, name, value)
        except Unsupported as error:
            if strict:
                sentence = f"{TYPE} 不支持查询参数 {name[:60]} / unknown parameter or modifier {name[:60]}"
                raise FhirRefused(400, "not-supported", sentence) from error
            found.unknown.append(name)
            continue
        found.applied.append((name, value))
    return found


def _add(found: Search, name: str, value: str) -> None:
    match name:
        case "_count":
            if not (value.isascii() and value.isdecimal()) or len(value) > 9:
                raise refused("_count 应为不小于 0 的整数", "_count must be a whole number")
            found.count = min(int(value), _MOST)
            found.total = found.total or (_TOTALS["accurate"] if not found.count else 0)
        case "_total":
            if value not in _TOTALS:
                raise refused("_total 应为 none、estimate 或 accurate", "_total must be none, estimate or accurate")
            found.total = _TOTALS[value]
        case "_sort":
            if value not in _SORTS:
                raise Unsupported(f"_sort={value}")
            found.newest_first = _SORTS[value]
        case "_elements":
            found.elements += value.split(",")
        case "_summary":
            found.summary = value
            if value == "count":
                found.count, found.total = 0, _TOTALS["accurate"]
        case "_include" | "_include:iterate" | "_include:recurse":
            # What comes along is no entry of the trail: nothing comes along with it in turn.
            fhir_chains.check_include(value)
            found.include.append(value)
        case given if given in _ELSEWHERE:
            return
        case _:
            found.conditions.append(_condition(name, value))


def _condition(name: str, value: str) -> Q:
    code, _, modifier = name.partition(":")
    if not value:
        raise refused(f"查询参数 {name} 的值为空", f"the value of {name} is empty")
    if "." in name:
        return fhir_chains.condition(name, value)
    if code not in parameters(TYPE):
        raise Unsupported(name)
    if modifier == "missing":
        if value not in ("true", "false"):
            raise refused(f"{name} 应为 true 或 false", f"{name} must be true or false")
        there = _THERE.get(code, _NONE)
        return ~there if value == "true" else there
    kind = parameters(TYPE)[code].kind
    negated = modifier == "not" and kind == "token"
    if negated:
        modifier = ""
    if (
        modifier
        and (kind, modifier) not in _MODIFIERS
        and not (kind == "reference" and modifier in ("Patient", "Practitioner", "Organization"))
    ):
        raise Unsupported(name)
    values = split(value, ",")
    if not all(values):
        raise refused(f"查询参数 {name} 的值中有空项", f"an empty value in {name}")
    any_of = reduce(or_, (_VALUES.get(code, _nothing)(one, modifier) for one in values))
    return ~any_of if negated else any_of


_MODIFIERS = {("string", "exact"), ("string", "contains")}


def _nothing(value: str, modifier: str) -> Q:
    return _NONE


def _id(value: str, modifier: str) -> Q:
    return Q(pk=int(value)) if value.isascii() and value.isdecimal() and len(value) < 19 else _NONE


def _date(value: str, modifier: str) -> Q:
    prefix, text = (value[:2], value[2:]) if value[:2].isalpha() else ("eq", value)
    try:
        start, end = span(text)
    except (ValueError, OverflowError) as error:
        raise refused(f"{value} 不是日期；写法如 ge2026-01-31", f"not a date: {value}") from error
    within = Q(at__gte=start, at__lt=end)
    found = {
        "eq": within, "ap": within, "ne": ~within, "gt": Q(at__gte=end), "sa": Q(at__gte=end), "ge": Q(at__gte=start),
        "lt": Q(at__lt=start), "eb": Q(at__lt=start), "le": Q(at__lt=end),
    }  # fmt: skip
    if prefix not in found:
        raise refused(f"{value} 的前缀不认识", f"unknown prefix: {value}")
    return found[prefix]


def _text(column: str) -> Callable[[str, str], Q]:
    def condition(value: str, modifier: str) -> Q:
        how = {"exact": "exact", "contains": "icontains"}.get(modifier, "istartswith")
        return Q(**{f"{column}__{how}": unescaped(value)})

    return condition


def _code(column: str, system: str) -> Callable[[str, str], Q]:
    """A code of one system, kept in a column."""

    def condition(value: str, modifier: str) -> Q:
        given, bar, code = unescaped(value).rpartition("|")
        if bar and given != system:
            return _NONE
        return Q(**{f"{column}__iexact": code}) if code else ~Q(**{column: ""})

    return condition


def _fixed(by_code: dict[str, tuple[str, Q]]) -> Callable[[str, str], Q]:
    """A code that follows from other columns: what it means by code, with its system."""

    def condition(value: str, modifier: str) -> Q:
        given, bar, code = unescaped(value).rpartition("|")
        fitting = [
            meant
            for known, (system, meant) in by_code.items()
            if (not code or known.casefold() == code.casefold()) and (not bar or given == system)
        ]
        return reduce(or_, fitting) if fitting else _NONE

    return condition


def _reference(value: str, modifier: str) -> tuple[str, str]:
    """Type ("" when only an id is given) and id of a reference."""
    kind, _, key = unescaped(value).rpartition("/")
    return modifier or kind.rpartition("/")[2], key


def _patient(value: str, modifier: str) -> Q:
    kind, key = _reference(value, modifier)
    behind = residents.behind_reference(reference=f"Patient/{key}") if kind in ("", "Patient") else None
    return Q(resident_id=behind[0]) if behind else _NONE


def _entity(value: str, modifier: str) -> Q:
    kind, key = _reference(value, modifier)
    subject = Q(subject=f"{kind}/{key}") if kind else Q(subject__endswith=f"/{key}")
    return subject | _patient(key, "") if kind in ("", "Patient") else subject


def _agent(value: str, modifier: str) -> Q:
    kind, key = _reference(value, modifier)
    found = _NONE
    uuid = organizations.as_uuid(key)
    if uuid is not None and kind in ("", "Practitioner"):
        user_id = workforce.user_behind(key=uuid)
        found |= Q(user_id=user_id) if user_id is not None else _NONE
    if uuid is not None and kind in ("", "Organization"):
        unit_id = organizations.id_behind(key=uuid)
        found |= Q(organization_id=unit_id) if unit_id is not None else _NONE
    return found


def _alternate(value: str, modifier: str) -> Q:
    text = unescaped(value).rpartition("|")[2]
    return Q(user_id=int(text)) if text.removeprefix("-").isdecimal() and text.isascii() and len(text) < 19 else _NONE


_BY_MACHINE = reduce(or_, (Q(action__startswith=one) for one in fhir.MACHINE))
_OF_RESIDENT = Q(resident_id__isnull=False)
_WITH_SUBJECT = ~Q(subject="")
_AS_REFERENCE = Q(subject__regex=r"^[A-Z][A-Za-z]+/.")


def _acts(letter: str) -> Q:
    words = "|".join(fhir.ACTIONS[letter])
    return Q(action__regex=rf"(^|\.)({words})$")


_LETTERS = {letter: ("http://hl7.org/fhir/audit-event-action", _acts(letter)) for letter in fhir.ACTIONS}
_LETTERS["E"] = ("http://hl7.org/fhir/audit-event-action", ~reduce(or_, (_acts(letter) for letter in fhir.ACTIONS)))
_VALUES: dict[str, Callable[[str, str], Q]] = {
    "_id": _id,
    "_lastUpdated": _date,
    "date": _date,
    "patient": _patient,
    "entity": _entity,
    "agent": _agent,
    "agent-name": _text("actor_name"),
    "agent-role": _code("role", fhir.ROLE),
    "address": _text("address"),
    "altid": _alternate,
    "subtype": _code("action", fhir.ACT),
    "action": _fixed(_LETTERS),
    "outcome": _fixed({"0": ("http://hl7.org/fhir/audit-event-outcome", _ALL)}),
    "site": _fixed({fhir.SITE: ("", _ALL)}),
    "type": _fixed(
        {
            "rest": (fhir.EVENT_TYPE, _BY_MACHINE),
            "110110": (fhir.DICOM, ~_BY_MACHINE & _OF_RESIDENT),
            "110100": (fhir.DICOM, ~_BY_MACHINE & ~_OF_RESIDENT),
        }
    ),
    "entity-type": _fixed({"1": (fhir.ENTITY_TYPE, _OF_RESIDENT), "2": (fhir.ENTITY_TYPE, _WITH_SUBJECT)}),
    "entity-role": _fixed({"1": (fhir.OBJECT_ROLE, _OF_RESIDENT), "4": (fhir.OBJECT_ROLE, _WITH_SUBJECT)}),
    "entity-name": lambda value, modifier: _text("subject")(value, modifier) & ~_AS_REFERENCE,
}
# Where a parameter has a value at all; of the others no entry has one.
_THERE: dict[str, Q] = {
    **dict.fromkeys(("_id", "_lastUpdated", "date", "action", "outcome", "type", "site"), _ALL | ~_NONE),
    "patient": _OF_RESIDENT,
    "entity": _OF_RESIDENT | _AS_REFERENCE,
    "agent": Q(organization_id__isnull=False) | Q(user_id__gt=0, actor_kind="staff"),
    "agent-name": ~Q(actor_name=""),
    "agent-role": ~Q(role=""),
    "address": ~Q(address=""),
    "altid": Q(user_id__isnull=False),
    "subtype": ~Q(action=""),
    "entity-type": _OF_RESIDENT | _WITH_SUBJECT,
    "entity-role": _OF_RESIDENT | _WITH_SUBJECT,
    "entity-name": _WITH_SUBJECT & ~_AS_REFERENCE,
}
