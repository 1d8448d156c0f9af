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
from django.db import DatabaseError, OperationalError, connection
from django.utils import timezone

from doorstep.kernel.access.encryption import seal, unseal
from doorstep.kernel.fhir.outcome import FhirRefused, outcome
from doorstep.kernel.record.search_expansion import expand
from doorstep.kernel.record.search_query import Query, parse, unknown_sentence
from doorstep.kernel.record.search_values import Setting

Pairs = Sequence[tuple[str, str]]
CURSOR = "_cursor"


@dataclass(frozen=True, slots=True)
class Answer:
    """A searchset Bundle as text, the query it answers, and the residents whose resources it shows."""

    bundle: str
    query: Query
    residents: tuple[int, ...]


def answer(type: str, pairs: Pairs, *, base: str, strict: bool = True) -> Answer:
    """Answer a search of a type. `base` is the address of the interface with its slash.

    Raises FhirRefused: 404 for an unknown type, 400 for what cannot be understood, or is too costly to answer.
    """
    cursor = next((value for name, value in pairs if name == CURSOR), None)
    after = None
    if cursor is not None:
        pairs, after, strict = _opened(type, cursor)
    query = parse(type, pairs, setting=Setting(base=base, expand=expand), strict=strict)
    row = _asked(
        "SELECT entries, matched, last::text, total, residents FROM record_search(%s)",
        query.as_json(base=base, after=after),
    )
    entries, found, last, total, residents = row[0]
    if total is None and after is None and found <= query.count and query.count:
        total = found
    links = [{"relation": "self", "url": f"{base}{type}" + (f"?{urlencode(query.applied)}" if query.applied else "")}]
    if query.count and found > query.count:
        links.append(
            {
                "relation": "next",
                "url": f"{base}{type}?{CURSOR}={_sealed(type, pairs, orjson.loads(last), strict=strict)}",
            }
        )
    return Answer(_bundle(query, entries, total, links), query, tuple(residents or ()))


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
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") == "57014":
            raise FhirRefused(
                400,
                "too-costly",
                "查询耗时过长，请加上居民、日期等条件 / the search takes too long: add a patient or a date",
            ) from error
        raise
    except DatabaseError as error:
        # 22…: a value that no column of this kind can hold, such as a character that is none.
        if str(getattr(error.__cause__, "sqlstate", "")).startswith("22"):
            raise FhirRefused(400, "invalid", "查询的值无法处理 / a value of the search cannot be handled") from error
        raise


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


def _sealed(type: str, pairs: Pairs, last: dict[str, Any], *, strict: bool) -> str:
    """The mark of the next page: nobody can read or change it, and no name or number of a person stands in an address."""
    kept = [pair for pair in pairs if pair[0] not in (CURSOR, "_total")]
    text = orjson.dumps([type, kept, last, strict]).decode()
    return base64.urlsafe_b64encode(seal(text)).decode().rstrip("=")


def _opened(type: str, text: str) -> tuple[list[tuple[str, str]], dict[str, Any], bool]:
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
