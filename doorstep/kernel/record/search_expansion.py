"""Codes behind :in, :not-in, :above and :below: value sets of the record, and hierarchies of the house's code systems."""

from typing import Any

import orjson
from django.db import connection

from doorstep.kernel.fhir.outcome import FhirRefused
from doorstep.kernel.record.search_index import number
from doorstep.kernel.terminology import queries as terminology

Code = tuple[str, str]
# A value set that names more codes one by one is too large for a search.
MOST = 5000


def expand(value: str, how: str) -> list[Code]:
    """The codes that a value stands for; a code of "" is any code of the system. Raises FhirRefused (400)."""
    if how == "in":
        return _of_value_set(value)
    system, bar, code = value.partition("|")
    if not bar or not system or not code:
        raise FhirRefused(400, "invalid", "请写作 system|code / write system|code")
    if how == "below":
        return [(system, code), *((system, one) for one in terminology.descendants(system=system, code=code))]
    return [(system, code), *((system, one) for one in terminology.ancestors(system=system, code=code))]


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
        return None
    found: dict[str, Any] = orjson.loads(f"[{entries}]")[0]["resource"]
    return found
