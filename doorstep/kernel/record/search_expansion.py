"""What a search must ask before it is one: codes behind :in, :not-in, :above and :below, and who belongs to Groups of the house."""

from collections.abc import Callable
from typing import Any

import orjson
from django.db import connection

from doorstep.kernel.fhir import vocabulary
from doorstep.kernel.fhir.outcome import FhirRefused
from doorstep.kernel.record import code_systems, groups, value_sets
from doorstep.kernel.record.patients import Patients
from doorstep.kernel.terminology import queries as terminology

Code = tuple[str, str]
# A value set that names more codes one by one is too large for a search.
MOST = 5000
# As many as a page brings along (record_included).
MOST_BROUGHT = 1000


def expand(value: str, how: str) -> list[Code]:
    """The codes that a value stands for; a code of "" is any code of the system. Raises FhirRefused (400).

    Of "groups" the ids of the Groups of ours to which the patients named belong; of "members" those of the patients who belong to
    the Groups that a term finds; of "peopled" those of the Groups with a member; of "page-members" and "page-groups" those of the
    members, or of the Groups, of what a page of a search shows: all without a system.
    """
    if how == "in":
        return _of_value_set(value)
    if how in _BY_MEMBERS:
        return [("", key) for key in _BY_MEMBERS[how](value)]
    system, bar, code = value.partition("|")
    if not bar or not system or not code:
        raise FhirRefused(400, "invalid", "请写作 system|code / write system|code")
    return [(system, code), *((system, one) for one in sorted(_along(system, code, how)))]


def _along(system: str, code: str, how: str) -> set[str]:
    """The codes below or above a code: by the tables that were imported, R4's own systems and CodeSystems that were sent."""
    tables = terminology.descendants if how == "below" else terminology.ancestors
    found = set(tables(system=system, code=code))
    if terminology.facts(system=system) is not None and vocabulary.code_system(system) is None:
        return found
    terms = code_systems.listing(system)
    if terms is None:
        return found
    return found | (code_systems.below if how == "below" else code_systems.above)(terms, code)


def _on_page(query: str) -> list[str]:
    """The ids of what a search finds on its page."""
    asked = {**orjson.loads(query), "elements": ["resourceType", "id"]}
    with connection.cursor() as cursor:
        cursor.execute("SELECT entries FROM record_search(%s)", [orjson.dumps(asked).decode()])
        entries = cursor.fetchone()[0]
    return [str(one["resource"]["id"]) for one in orjson.loads(f"[{entries or ''}]")]


def _groups_of(value: str) -> list[str]:
    patients = Patients()
    found = [patients.behind(f"Patient/{one.rpartition('/')[2]}") for one in value.split(",") if one]
    return groups.of_residents(one.resident_id for one in found if one is not None)


def _members_of(terms: str) -> list[str]:
    asked = {"type": "Group", "where": orjson.loads(terms), "limit": MOST, "base": "", "sort": []}
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM record_matches(%s)", [orjson.dumps(asked).decode()])
        ids = [str(row[0]) for row in cursor.fetchall()]
    found = {key for one in ids for key, _ in groups.members(one) or ()}
    if len(found) > MOST:
        raise FhirRefused(
            400, "too-costly", f"群组成员超过 {MOST} 人，请用 $export / over {MOST} members: $export them"
        )
    return sorted(found)


def _members_on(query: str) -> list[str]:
    found = dict.fromkeys(key for one in _on_page(query) for key, _ in groups.members(one) or ())
    return list(found)[:MOST_BROUGHT]


def _groups_on(query: str) -> list[str]:
    return _groups_of(",".join(_on_page(query)))[:MOST_BROUGHT]


_BY_MEMBERS: dict[str, Callable[[str], list[str]]] = {
    "groups": _groups_of,
    "members": _members_of,
    "peopled": lambda _: groups.peopled(),
    "page-members": _members_on,
    "page-groups": _groups_on,
}


def _of_value_set(value: str) -> list[Code]:
    content = value_sets.find(value)
    if content is None:
        raise FhirRefused(400, "not-found", f"没有值集 {value} / there is no value set {value}")
    found = _in_one_go(content.get("compose"))
    if found is None:
        try:
            found = list(value_sets.members(content).terms)
        except FhirRefused as error:
            raise FhirRefused(400, error.code, error.sentence) from error
    if len(found) > MOST:
        raise FhirRefused(400, "too-costly", f"值集超过 {MOST} 个代码 / the value set has more than {MOST} codes")
    return found


def _in_one_go(compose: dict[str, Any] | None) -> list[Code] | None:
    """The codes of lists and whole systems, which need not be known one by one; None for a value set that says more."""
    if compose is None or compose.get("exclude"):
        return None
    found: list[Code] = []
    for part in compose.get("include", []):
        system = str(part.get("system", ""))
        if not system or part.get("filter") or part.get("valueSet"):
            return None
        found += [(system, str(one["code"])) for one in part["concept"]] if part.get("concept") else [(system, "")]
    return found
