"""What a search must ask before it is one: codes behind :in, :not-in, :above and :below, and who belongs to Groups of the house."""

from collections.abc import Callable
from typing import Any

import orjson
from django.db import connection

from doorstep.kernel.fhir.definitions import required_codes
from doorstep.kernel.fhir.outcome import FhirRefused
from doorstep.kernel.record import groups
from doorstep.kernel.record.patients import Patients
from doorstep.kernel.record.search_index import number
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
    if how == "below":
        return [(system, code), *((system, one) for one in terminology.descendants(system=system, code=code))]
    return [(system, code), *((system, one) for one in terminology.ancestors(system=system, code=code))]


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
    content = _value_set(value)
    if content is None:
        raise FhirRefused(400, "not-found", f"没有值集 {value} / there is no value set {value}")
    found: list[Code] = []
    for include in content.get("compose", {}).get("include", []):
        system = str(include.get("system", ""))
        if include.get("concept"):
            found += [(system, str(one.get("code", ""))) for one in include["concept"]]
        elif include.get("filter") or include.get("valueSet") or not system:
            raise FhirRefused(
                400,
                "not-supported",
                f"值集 {value} 含筛选，不能用于查询 / value set {value} has filters: not for searches",
            )
        else:
            found.append((system, ""))
    if not found:
        listed = content.get("expansion", {}).get("contains", [])
        found = [(str(one.get("system", "")), str(one.get("code", ""))) for one in listed]
    if len(found) > MOST:
        raise FhirRefused(400, "too-costly", f"值集超过 {MOST} 个代码 / the value set has more than {MOST} codes")
    return found


def _value_set(value: str) -> dict[str, Any] | None:
    """A ValueSet by its url or by its address here, as far as the actor may read it."""
    term: dict[str, object] = {"k": "string", "n": number("ValueSet.url"), "m": "equal", "v": value.partition("|")[0]}
    if value.startswith("ValueSet/"):
        term = {"k": "id", "v": [value.removeprefix("ValueSet/")]}
    with connection.cursor() as cursor:
        asked = {"type": "ValueSet", "where": [term], "limit": 1, "base": "", "sort": []}
        cursor.execute("SELECT entries FROM record_search(%s)", [orjson.dumps(asked).decode()])
        entries = cursor.fetchone()[0]
    if not entries:
        return _of_r4(value.partition("|")[0])
    found: dict[str, Any] = orjson.loads(f"[{entries}]")[0]["resource"]
    return found


def _of_r4(url: str) -> dict[str, Any] | None:
    """R4's own value set of a required binding, which nobody has to send."""
    systems = required_codes().get(url)
    if systems is None:
        return None
    include = [{"system": name, "concept": [{"code": one} for one in sorted(codes)]} for name, codes in systems.items()]
    return {"compose": {"include": include}}
