"""Searches: a query parsed, answered by record_search in one statement, and wrapped into a Bundle with its links.

The entries come from PostgreSQL as text and are passed on as text.
"""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson
from cryptography.exceptions import InvalidTag
from django.db import DatabaseError, connection
from django.utils import timezone

from doorstep.kernel.access.encryption import seal, unseal
from doorstep.kernel.fhir.outcome import FhirRefused, outcome
from doorstep.kernel.record.search_each import parse_each
from doorstep.kernel.record.search_expansion import expand
from doorstep.kernel.record.search_index import number
from doorstep.kernel.record.search_query import Query, parse, unknown_sentence
from doorstep.kernel.record.search_values import Expand, Setting

Pairs = Sequence[tuple[str, str]]
CURSOR = "_cursor"


# What record_searched answers where there is nothing: matched, entries, the last row, the total.
NOTHING: tuple[int, str | None, str | None, int | None] = (0, None, None, None)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A search that was understood, of a type, or of several: then `type` is empty, and `each` holds what is asked of each of them.

    `after` is the last row of the page before.
    """

    type: str
    pairs: Pairs
    query: Query
    base: str
    strict: bool
    after: dict[str, Any] | None
    each: tuple[Query, ...] | None = None

    @property
    def arguments(self) -> tuple[str, str, str]:
        """What record_searched takes besides who asks: the query, the patient whom it asks for, the names of its parameters."""
        patient = self.query.patients[0] if self.query.patients else ""
        asked = self.query.as_json(base=self.base, after=self.after)
        if self.each is not None:
            asked |= {"type": ",".join(one.type for one in self.each)[:100] or "*"}
            asked |= {"each": {one.type: one.where for one in self.each}, "where": []}
            if asked.pop("elements", None) is not None or "shown" in asked:
                asked["shown"] = {one.type: one.elements for one in self.each}
        query = orjson.dumps(asked).decode()
        return query, patient, orjson.dumps(sorted({name for name, _ in self.pairs})).decode()

    def bundle(self, row: Sequence[Any]) -> str:
        """The searchset of the row that record_searched answered, as text."""
        found, entries, last, total = row
        query, base = self.query, self.base
        if total is None and self.after is None and found <= query.count and query.count:
            total = found
        shown = f"?{urlencode(query.applied)}" if query.applied else ""
        # Of several types the address is that of the interface itself.
        address = f"{base}{self.type}" if self.type else base.removesuffix("/")
        links = [{"relation": "self", "url": f"{address}{shown}"}]
        if query.count and found > query.count:
            mark = sealed_mark(self.type, self.pairs, orjson.loads(last), strict=self.strict)
            links.append({"relation": "next", "url": f"{address}?{CURSOR}={mark}"})
        return _bundle(query, entries, total, links)


def prepare(type: str, pairs: Pairs, *, base: str, strict: bool = True, expand: Expand = expand) -> Prepared:
    """Read a search of a type, or without one of the types that `_type` names. `base` is the address of the interface with its slash.

    Raises FhirRefused: 404 for an unknown type, 400 for what cannot be understood.
    """
    cursor = next((value for name, value in pairs if name == CURSOR), None)
    after = None
    if cursor is not None:
        pairs, after, strict = opened_mark(type, cursor)
    setting = Setting(base=base, expand=expand)
    if not type:
        each, warned = parse_each(pairs, setting=setting, strict=strict)
        return Prepared(type, pairs, warned, base, strict, after, each)
    query = parse(type, pairs, setting=setting, strict=strict)
    _bring_members(query, after=after, setting=setting)
    return Prepared(type, pairs, query, base, strict, after)


def _bring_members(query: Query, *, after: dict[str, Any] | None, setting: Setting) -> None:
    """Of Groups of the house no index knows the members: who comes along with them, or they with whom, is named one by one."""
    member = number("Group.member")
    # Members are people: what is asked to come along as a Device or a Practitioner is none of them.
    asked = [one for one in query.include if member in one["names"] and one.get("type") in (None, "Patient", "Group")]
    how, brought, reverse = {
        "Group": ("page-members", "Patient", False),
        "Patient": ("page-groups", "Group", True),
    }.get(query.type, ("", "", False))
    if not query.count or not any(one["reverse"] is reverse for one in asked) or not how:
        return
    page = query.as_json(base="", after=after)
    found = setting.expand(orjson.dumps({**page, "include": []}).decode(), how)
    if found:
        query.include.append({"those": [key for _, key in found], "type": brought, "names": [], "reverse": False})


def check(type: str, pairs: Pairs) -> None:
    """Raise FhirRefused as `answer` does when a search cannot be understood."""
    parse(type, pairs, setting=Setting(base="", expand=expand))


def matching(
    type: str, pairs: Pairs, *, base: str = "", limit: int = 2, among: Sequence[str] | None = None
) -> list[str]:
    """The ids of the first resources that a search finds, of all or `among` some ids; FhirRefused as in `answer`."""
    query = parse(type, pairs, setting=Setting(base=base, expand=expand))
    if among is not None:
        query.where.append({"k": "id", "v": list(among), "few": True})
    asked = query.as_json(base=base, after=None) | {"limit": max(limit - 1, 0), "sort": []}
    return [str(row[0]) for row in _asked("SELECT * FROM record_matches(%s)", asked)]


def _asked(statement: str, query: dict[str, Any]) -> list[tuple[Any, ...]]:
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, [orjson.dumps(query).decode()])
            return list(cursor.fetchall())
    except DatabaseError as error:
        refused = refusal_of(error)
        if refused is None:
            raise
        raise refused from error


def refusal_of(error: DatabaseError) -> FhirRefused | None:
    """What an error of the database means for a search: too costly, or a value that cannot be; None for a fault."""
    state = str(getattr(error.__cause__, "sqlstate", ""))
    if state == "57014":
        return FhirRefused(
            400,
            "too-costly",
            "查询耗时过长，请加上居民、日期等条件 / the search takes too long: add a patient or a date",
        )
    if state.startswith("22"):
        # A value that no column of this kind can hold, such as a character that is none.
        return FhirRefused(400, "invalid", "查询的值无法处理 / a value of the search cannot be handled")
    return None


def _bundle(query: Query, entries: str | None, total: int | None, links: list[dict[str, str]]) -> str:
    head: dict[str, Any] = {
        "resourceType": "Bundle",
        "meta": {"lastUpdated": timezone.now().isoformat(timespec="milliseconds").replace("+00:00", "Z")},
        "type": "searchset",
    }
    if total is not None:
        head["total"] = total
    head["link"] = links
    parts = [entries] if entries else []
    if query.unknown:
        warned = outcome("not-supported", unknown_sentence(query.type, query.unknown[0]), severity="warning")
        for name in query.unknown[1:]:
            warned["issue"] += outcome("not-supported", unknown_sentence(query.type, name), severity="warning")["issue"]
        parts.append(orjson.dumps({"resource": warned, "search": {"mode": "outcome"}}).decode())
    text = orjson.dumps(head).decode()
    return f'{text[:-1]},"entry":[{",".join(parts)}]}}' if parts else text


def sealed_mark(type: str, pairs: Pairs, last: dict[str, Any], *, strict: bool) -> str:
    """The mark of the next page: nobody can read or change it, and no name or number of a person stands in an address."""
    kept = [pair for pair in pairs if pair[0] not in (CURSOR, "_total")]
    text = orjson.dumps([type, kept, last, strict]).decode()
    return base64.urlsafe_b64encode(seal(text)).decode().rstrip("=")


def opened_mark(type: str, text: str) -> tuple[list[tuple[str, str]], dict[str, Any], bool]:
    """The pairs, the last row and the strictness that a mark keeps; FhirRefused (400) for what is no mark of this type."""
    try:
        found = orjson.loads(unseal(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))))
        if found[0] != type:
            raise ValueError(type)
        return [(name, value) for name, value in found[1]], dict(found[2]), bool(found[3])
    except (ValueError, TypeError, IndexError, KeyError, binascii.Error, InvalidTag) as error:
        raise FhirRefused(
            400,
            "invalid",
            f"{CURSOR} 无效，请从第一页重新查询 / {CURSOR} is not valid: search again from the first page",
        ) from error
