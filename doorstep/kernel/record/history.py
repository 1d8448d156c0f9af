"""History Bundles of a resource, a type and the whole server (hl7.org/fhir/R4/http.html#history)."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db import connection
from django.http import HttpRequest, HttpResponse

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.database.calls import as_json
from doorstep.kernel.fhir.door import allow, machine
from doorstep.kernel.fhir.moments import span
from doorstep.kernel.fhir.outcome import FhirRefused, answer
from doorstep.kernel.record import queries, stored
from doorstep.kernel.record.actions import stamp
from doorstep.kernel.record.interactions import actor_of, base_of, known, only_get
from doorstep.kernel.record.writing import ABSENT

_MOST, _CUSTOM = 200, 50
# A page of the whole server's history may have to pass many rows that are not the client's.
_PATIENCE = "SET LOCAL statement_timeout = '8s'"
_PAGE = """
SELECT v.id, r.type, r.fhir_id, v.version, v.deleted, v.method, v.written_at,
       CASE WHEN v.deleted THEN NULL ELSE v.content::text END, v.resident_id
FROM record_resourceversion v JOIN record_resource r ON r.id = v.resource_id
WHERE {where} ORDER BY v.id DESC LIMIT %(limit)s
"""
# The numbers of a page among the versions of these resources; each is looked up by itself, and only what is shown is read.
_OF_THESE = """
SELECT v.id FROM unnest(%(resources)s::bigint[]) AS m (id),
  LATERAL (SELECT v.id FROM record_resourceversion v WHERE v.resource_id = m.id AND {where} OFFSET 0) v
ORDER BY v.id DESC LIMIT %(limit)s
"""
# So many of the newest versions of everybody are passed over before they are looked for by whom the client knows.
_NEWEST = 5_000
_NUMBER = re.compile(r"^\d{1,18}$")


@dataclass(slots=True)
class _Question:
    """A history request: SQL conditions and their values."""

    clauses: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    type: str = ""
    count: int = _CUSTOM
    kept: list[tuple[str, str]] = field(default_factory=list)


@machine
def of_server(request: HttpRequest) -> HttpResponse:
    """GET /fhir/_history."""
    only_get(request)
    allow(request, "*", "s")
    return _answered(request, _parsed(request), subject="*")


@machine
def of_type(request: HttpRequest, type: str) -> HttpResponse:
    """GET /fhir/<type>/_history."""
    only_get(request)
    known(type)
    allow(request, type, "s")
    question = _parsed(request)
    question.type = question.values["type"] = type
    return _answered(request, question, subject=type)


@machine
def of_instance(request: HttpRequest, type: str, fhir_id: str) -> HttpResponse:
    """GET /fhir/<type>/<id>/_history, also of a deleted resource."""
    only_get(request)
    known(type)
    allow(request, type, "r")
    found = stored.fetch(type=type, fhir_id=fhir_id)
    if found is None:
        raise FhirRefused(404, "not-found", ABSENT)
    question = _parsed(request)
    question.clauses.append("v.resource_id = %(row)s")
    question.values["row"] = found.row_id
    queries.note_read(
        type=type, fhir_id=fhir_id, actor=actor_of(request), resident_id=found.resident_id, action="fhir.history"
    )
    return _answered(request, question, subject="", total=True)


def _parsed(request: HttpRequest) -> _Question:
    question = _Question()
    for name, value in ((name, value) for name, values in request.GET.lists() for value in values):
        if name == "_count":
            if not _NUMBER.match(value):
                raise FhirRefused(400, "value", "_count 应为不小于 0 的整数 / _count must be a whole number")
            question.count = min(int(value), _MOST)
        elif name == "_since":
            question.values["since"] = _instant(value)
            question.clauses.append("v.written_at >= %(since)s")
        elif name == "_at":
            _add_at(question, value)
        elif name == "_before":
            if not _NUMBER.match(value):
                raise FhirRefused(400, "value", "_before 来自 next 链接 / _before comes from a next link")
            question.values["before"] = int(value)
            question.clauses.append("v.id < %(before)s")
            continue
        elif name not in ("_format", "_pretty", "_sort"):
            raise FhirRefused(400, "invalid", f"历史不支持参数 {name} / history knows no parameter {name}")
        question.kept.append((name, value))
    return question


def _instant(value: str) -> datetime:
    return span("_since", value)[0]


def _add_at(question: _Question, value: str) -> None:
    """Versions that were current at some moment of this date."""
    start, end = span("_at", value)
    question.values |= {"at_start": start, "at_end": end}
    question.clauses.append(
        "v.written_at < %(at_end)s AND NOT EXISTS (SELECT FROM record_resourceversion n"
        " WHERE n.resource_id = v.resource_id AND n.version = v.version + 1 AND n.written_at <= %(at_start)s)"
    )


def _answered(request: HttpRequest, question: _Question, *, subject: str, total: bool = False) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute(_PATIENCE)
        rows = _rows(cursor, question)
        number = None
        if total:
            counted = " AND ".join(part for part in question.clauses if "before" not in part)
            cursor.execute(f"SELECT count(*) FROM record_resourceversion v WHERE {counted}", question.values)
            number = int(cursor.fetchone()[0])
        cursor.execute("SET LOCAL statement_timeout = 0")
    page, more = rows[: question.count], len(rows) > question.count
    if subject:
        _note(page, subject, actor_of(request))
    base = base_of(request)
    links = [{"relation": "self", "url": request.build_absolute_uri()}]
    if more and page:
        query = urlencode([*question.kept, ("_before", str(page[-1][0]))])
        links.append({"relation": "next", "url": f"{request.build_absolute_uri(request.path)}?{query}"})
    return answer(_bundle([_entry(row, base) for row in page], links, number))


def _rows(cursor: Any, question: _Question) -> list[tuple[Any, ...]]:
    """The versions of a page and one more. Where others wrote most they are found by whom the client knows, as searches are."""
    clauses, values = (
        list(question.clauses),
        {"type": None, "since": None, **question.values, "limit": question.count + 1},
    )
    of_type = ["r.type = %(type)s"] if question.type else []

    def page(*more: str) -> list[tuple[Any, ...]]:
        cursor.execute(_PAGE.format(where=" AND ".join([*clauses, *more]) or "true"), values)
        return list(cursor.fetchall())

    if "row" in values:
        return page()
    newest = values.get("before")
    if newest is None:
        cursor.execute("SELECT record_newest_version()")
        newest = cursor.fetchone()[0] or 0
    values["from"] = newest - _NEWEST
    found = page(*of_type, "v.id > %(from)s")
    if len(found) > question.count:
        return found
    cursor.execute("SELECT record_all_known(%(type)s, %(since)s)", values)
    values["resources"] = cursor.fetchone()[0]
    if values["resources"] is None:
        return page(*of_type)
    cursor.execute(_OF_THESE.format(where=" AND ".join(clauses) or "true"), values)
    values["ids"] = [row[0] for row in cursor.fetchall()]
    return page("v.id = ANY (%(ids)s)")


def _note(page: list[tuple[Any, ...]], subject: str, actor: Actor) -> None:
    """The look at each resident of whom the page shows something; one of nobody when it shows none."""
    seen = sorted({row[-1] for row in page if row[-1] is not None})
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT audit_looks(%s::jsonb, 'fhir.history', %s, %s::bigint[], '', '{}')",
            [as_json(audit.who(actor)), subject, seen],
        )


def _entry(row: tuple[Any, ...], base: str) -> str:
    _, kind, key, version, deleted, method, written_at, text, _resident = row
    address = f"{kind}/{key}"
    url = kind if method == "POST" else address
    status = "204" if deleted else ("201" if version == 1 else "200")
    resource = "" if text is None else f'"resource":{text},'
    verb = "PUT" if method == "PATCH" else method
    return (
        f'{{"fullUrl":"{base}{address}",{resource}"request":{{"method":"{verb}","url":"{url}"}},'
        f'"response":{{"status":"{status}","etag":"W/\\"{version}\\"","lastModified":"{stamp(written_at)}"}}}}'
    )


def _bundle(entries: list[str], links: list[dict[str, str]], total: int | None) -> str:
    """The Bundle as text: resources are passed on as they came from the database."""
    shown = ",".join(f'{{"relation":"{link["relation"]}","url":{_quoted(link["url"])}}}' for link in links)
    head = f'{{"resourceType":"Bundle","type":"history","link":[{shown}]'
    if total is not None:
        head += f',"total":{total}'
    return head + (f',"entry":[{",".join(entries)}]' if entries else "") + "}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
