"""What stands beyond a reference of the trail: chains (`patient.name=…`) and what is to come along (`_include`).

The trail is no part of the record: whom a chain means is asked of the record first, as the asker may see it, and then looked for in
the trail.
"""

from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.database.calls import Call
from doorstep.kernel.fhir import exact
from doorstep.kernel.fhir.outcome import FhirRefused
from doorstep.kernel.fhir.parameters import parameters, types
from doorstep.kernel.record import search
from doorstep.kernel.record.asking import row_of
from doorstep.kernel.record.search_links import may_bring, may_search
from doorstep.kernel.record.search_values import Unsupported, refused
from doorstep.people.organizations import queries as organizations
from doorstep.people.residents import queries as residents
from doorstep.people.workforce import queries as workforce

TYPE = "AuditEvent"
# A chain that means more of them is asked to be narrower: each is looked for by itself.
MOST = 500
_TARGETS = {"patient": ("Patient",), "agent": ("Practitioner", "Organization")}


def condition(name: str, value: str) -> Q:
    """The entries whose patient, entity or agent is one that `name` describes: "patient.name", "entity:Observation.code".

    Raises Unsupported for what is no reference or has no such parameter, FhirRefused (400) for a value that cannot be understood and
    (422) for one that means too many.
    """
    link, _, rest = name.partition(".")
    code, _, modifier = link.partition(":")
    parameter = parameters(TYPE).get(code)
    if parameter is None or parameter.kind != "reference" or code not in _MEANT:
        raise Unsupported(name)
    if modifier and parameter.targets and modifier not in parameter.targets:
        raise Unsupported(name)
    targets = [one for one in ((modifier,) if modifier else _TARGETS.get(code, ())) if one in types()]
    if not targets:
        raise refused(f"{code} 可指向任何类型，请写明类型", f"{code} may point at any type: name one")
    found, understood = Q(pk__in=[]), False
    for target in may_search(targets):
        try:
            ids = search.matching(target, [(rest, value)], limit=MOST + 1)
        except FhirRefused as error:
            # One of the types that an agent may be does not know the parameter, another one may.
            if error.code != "not-supported":
                raise
            continue
        understood = True
        if len(ids) > MOST:
            raise FhirRefused(
                422,
                "too-costly",
                f"{name} 符合的对象超过 {MOST} 个，请缩小范围 / more than {MOST} match {name}: narrow it",
            )
        found |= _MEANT[code](target, ids)
    if not understood:
        raise Unsupported(name)
    return found


def included(wanted: list[str], shown: list[dict[str, Any]], *, actor: Actor, base: str) -> list[dict[str, Any]]:
    """The entries of the Bundle that come along with the trail's, each once, as far as the asker may see them.

    `wanted` are the values of _include: "AuditEvent:patient", "AuditEvent:agent", "AuditEvent:entity", with a type behind a further colon,
    or "AuditEvent:*" and "*" for all.
    """
    addresses = {address for value in wanted for one in shown for address in _named(one, value)}
    by_type: dict[str, list[str]] = {}
    for address in sorted(addresses):
        kind, _, key = address.partition("/")
        by_type.setdefault(kind, []).append(key)
    entries: list[dict[str, Any]] = []
    for kind, keys in by_type.items():
        if kind == TYPE or kind not in types() or not may_bring(kind):
            continue
        asked = search.prepare(kind, [("_id", ",".join(keys)), ("_count", str(len(keys)))], base=base)
        _, row = row_of(Call("record_searched", asked.arguments), actor, entering=None)
        found = exact.loads(asked.bundle(row or search.NOTHING))
        entries += [{**one, "search": {"mode": "include"}} for one in found.get("entry", [])]
    return entries


def check_include(value: str) -> None:
    """Raise Unsupported, or FhirRefused (400), for an _include that the trail does not know."""
    parts = value.split(":")
    if value == "*" or parts[:2] == [TYPE, "*"]:
        return
    if len(parts) not in (2, 3) or parts[0] != TYPE or (len(parts) == 3 and parts[2] not in types()):
        raise refused(
            "_include 写作 AuditEvent:参数 或 AuditEvent:参数:目标类型",
            f"_include is AuditEvent:parameter[:TargetType]; got {value}",
        )
    if parts[1] not in _MEANT:
        raise Unsupported(f"_include={value}")


def _named(event: dict[str, Any], value: str) -> list[str]:
    parts = value.split(":")
    which = "*" if value == "*" else parts[1]
    narrowed = parts[2] if len(parts) == 3 else ""
    agents = [one["who"].get("reference", "") for one in event.get("agent", [])]
    entities = [one.get("what", {}).get("reference", "") for one in event.get("entity", [])]
    patients = [one for one in (*agents, *entities) if one.startswith("Patient/")]
    found = {"agent": agents, "entity": entities, "patient": patients, "*": [*agents, *entities]}[which]
    return [one for one in found if one and (not narrowed or one.startswith(f"{narrowed}/"))]


def _patients(kind: str, ids: list[str]) -> Q:
    if kind != "Patient":
        return Q(pk__in=[])
    return Q(resident_id__in=list(residents.behind_keys(keys=ids).values()))


def _entities(kind: str, ids: list[str]) -> Q:
    return reduce(or_, [Q(subject__in=[f"{kind}/{one}" for one in ids]), _patients(kind, ids)])


def _agents(kind: str, ids: list[str]) -> Q:
    if kind == "Practitioner":
        return Q(user_id__in=workforce.users_behind(keys=ids))
    if kind == "Organization":
        return Q(organization_id__in=organizations.ids_behind(keys=ids))
    return Q(pk__in=[])


_MEANT = {"patient": _patients, "entity": _entities, "agent": _agents}
