"""Batch and transaction Bundles (hl7.org/fhir/R4/http.html#transaction): DELETE, POST, PUT and PATCH, then GET."""

import base64
import binascii
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson
from django.db import DataError, IntegrityError, OperationalError, ProgrammingError, transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import Resolver404, resolve
from django.utils.http import parse_http_date

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.access.session import bind
from doorstep.kernel.fhir import exact, negotiation, patches
from doorstep.kernel.fhir.door import allow, refused_by
from doorstep.kernel.fhir.outcome import FhirRefused, issues_of
from doorstep.kernel.record import conditions, interactions, stored, writing
from doorstep.kernel.record.actions import stamp
from doorstep.kernel.record.interactions import actor_of, base_of
from doorstep.kernel.record.references import rewritten
from doorstep.kernel.record.writing import Draft

MAX_ENTRIES = 1_000
_ORDER = {"DELETE": 0, "POST": 1, "PUT": 2, "PATCH": 2, "GET": 3, "HEAD": 3}
_VERBS = {"POST": "c", "PUT": "u", "PATCH": "u", "DELETE": "d"}
_HEADERS = {
    "ifMatch": "HTTP_IF_MATCH",
    "ifNoneMatch": "HTTP_IF_NONE_MATCH",
    "ifModifiedSince": "HTTP_IF_MODIFIED_SINCE",
    "ifNoneExist": "HTTP_IF_NONE_EXIST",
}
# Whose addresses an entry may name: the interface itself, and the operations that apps bring along.
_DOORS = {"fhir", "fhir-identity", "fhir-subscriptions", "fhir-slots", "fhir-audit"}
_REASONS = {200: "OK", 201: "Created", 204: "No Content", 304: "Not Modified"}
Refusals = (FhirRefused, Refused, DataError, IntegrityError, OperationalError, ProgrammingError)


@dataclass(slots=True)
class _Entry:
    """One entry of the Bundle: what it asks for and what is answered."""

    position: int
    method: str
    url: str
    full_url: str
    request: dict[str, Any]
    resource: Any
    draft: Draft | None = None
    answer: dict[str, Any] | None = None

    @property
    def place(self) -> str:
        """Where the entry's resource stands."""
        return f"Bundle.entry[{self.position}].resource"


def process(request: HttpRequest, bundle: Any) -> dict[str, Any]:
    """Answer a batch or transaction Bundle; raises FhirRefused for a transaction that cannot be done whole."""
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise FhirRefused(400, "structure", "请发送一个 Bundle / send a Bundle", "Bundle")
    kind = bundle.get("type")
    if kind not in ("batch", "transaction"):
        raise FhirRefused(
            422, "invalid", "Bundle.type 应为 batch 或 transaction / must be batch or transaction", "Bundle.type"
        )
    given = bundle.get("entry", [])
    if not isinstance(given, list) or len(given) > MAX_ENTRIES:
        raise FhirRefused(
            422, "too-long", f"Bundle 最多 {MAX_ENTRIES} 条 / at most {MAX_ENTRIES} entries", "Bundle.entry"
        )
    if kind == "batch":
        entries = _batch(request, given)
    else:
        entries = [_read(entry, number, base_of(request)) for number, entry in enumerate(given)]
        _check_full_urls(entries)
        _transaction(request, entries)
    return {"resourceType": "Bundle", "type": f"{kind}-response", "entry": [entry.answer or {} for entry in entries]}


def _read(entry: Any, position: int, base: str) -> _Entry:
    place = f"Bundle.entry[{position}]"
    asked = entry.get("request") if isinstance(entry, dict) else None
    if not isinstance(asked, dict):
        raise FhirRefused(422, "required", "缺少 request / request is missing", f"{place}.request")
    method, url = asked.get("method"), asked.get("url")
    if not isinstance(method, str) or method not in _ORDER:
        raise FhirRefused(422, "value", "request.method 不是 FHIR 的方法 / not a method", f"{place}.request.method")
    url = url.removeprefix(base) if isinstance(url, str) else ""
    if not url or url.startswith("/") or "://" in url.partition("?")[0]:
        raise FhirRefused(422, "value", "request.url 应为相对地址 / must be a relative address", f"{place}.request.url")
    if method == "POST" and url.partition("?")[0].rpartition("/")[2] == "_search":
        method, url = "GET", _search_address(url, entry.get("resource"), f"{place}.resource")
    if method in ("POST", "PUT", "PATCH") and not isinstance(entry.get("resource"), dict):
        raise FhirRefused(422, "required", "缺少 resource / resource is missing", f"{place}.resource")
    full_url = entry.get("fullUrl")
    return _Entry(position, method, url, full_url if isinstance(full_url, str) else "", asked, entry.get("resource"))


def _search_address(url: str, form: Any, place: str) -> str:
    """A search by POST as the search by GET that it means: an entry has no form, so its parameters stand in the address or in Parameters."""
    path, _, query = url.partition("?")
    pairs: list[tuple[str, str]] = []
    if isinstance(form, dict) and form.get("resourceType") == "Binary":
        if form.get("contentType") != "application/x-www-form-urlencoded":
            raise FhirRefused(422, "value", "Binary 应为表单 / the Binary must be a form", f"{place}.contentType")
        query = "&".join(filter(None, (query, _plain(form, place).decode("utf-8", "replace"))))
    elif isinstance(form, dict) and form.get("resourceType") == "Parameters":
        for one in form.get("parameter") or []:
            value = (
                next((one[name] for name in one if name.startswith("value")), None) if isinstance(one, dict) else None
            )
            if not isinstance(value, str | int | float | Decimal) or not isinstance(one.get("name"), str):
                raise FhirRefused(422, "value", "参数应为 name 和简单的 value / a name and a plain value", place)
            pairs.append((one["name"], str(value).lower() if isinstance(value, bool) else str(value)))
    elif form is not None:
        raise FhirRefused(422, "value", "查询的内容应为 Parameters / the body of a search is Parameters", place)
    asked = "&".join(filter(None, (query, urlencode(pairs))))
    return f"{path.removesuffix('_search').rstrip('/')}?{asked}"


def _check_full_urls(entries: list[_Entry]) -> None:
    """bdl-7: an address stands for one entry; of two, a reference would mean either."""
    seen: set[str] = set()
    for entry in entries:
        if entry.full_url and entry.full_url in seen:
            place = f"Bundle.entry[{entry.position}].fullUrl"
            raise FhirRefused(422, "invariant", "fullUrl 重复 / the same fullUrl twice in a transaction", place)
        seen.add(entry.full_url)


def _batch(request: HttpRequest, given: list[Any]) -> list[_Entry]:
    """Each entry on its own: what one refuses the others do not feel."""
    entries: list[_Entry] = []
    for number, entry in enumerate(given):
        try:
            entries.append(_read(entry, number, base_of(request)))
        except FhirRefused as error:
            entries.append(_Entry(number, "HEAD", "", "", {}, None, answer=_refused(error)))
    for entry in sorted((one for one in entries if one.answer is None), key=lambda one: _ORDER[one.method]):
        try:
            with transaction.atomic():
                entry.answer = _asked(request, entry)
        except Refusals as error:
            # An action may have bound the system for a moment when it was refused.
            bind(actor_of(request))
            refused = refused_by(error)
            if refused.count is not None:
                refused.count()
            entry.answer = _refused(refused)
    return entries


def _refused(error: FhirRefused) -> dict[str, Any]:
    return {"response": {"status": str(error.status), "outcome": issues_of(error)}}


def _asked(request: HttpRequest, entry: _Entry) -> dict[str, Any]:
    """Let an entry be answered as if it had come alone."""
    inner = HttpRequest()
    parts = urlsplit(entry.url)
    inner.method = entry.method
    inner.path = inner.path_info = f"/fhir/{parts.path}"
    names = ("SERVER_NAME", "SERVER_PORT", "HTTP_HOST", "wsgi.url_scheme", "REMOTE_ADDR", "HTTP_PREFER")
    inner.META = {name: request.META[name] for name in names if name in request.META}
    inner.META |= {
        header: entry.request[name] for name, header in _HEADERS.items() if isinstance(entry.request.get(name), str)
    }
    # In a Bundle stand resources, also where they could come as they are.
    inner.META["HTTP_ACCEPT"] = "application/fhir+json"
    inner.META["QUERY_STRING"] = parts.query
    inner.GET = QueryDict(parts.query)
    inner.actor, inner.scopes = actor_of(request), getattr(request, "scopes", None)  # type: ignore[attr-defined]
    _give_body(inner, entry)
    try:
        match = resolve(inner.path_info)
    except Resolver404 as error:
        raise FhirRefused(404, "not-supported", f"没有地址 {entry.url[:80]} / no such address", entry.place) from error
    # Of the address of the interface itself only the search of several types: a Bundle stands in no Bundle.
    alone = not parts.path.strip("/")
    if not set(match.namespaces) & _DOORS or (alone and entry.method not in ("GET", "HEAD")):
        raise FhirRefused(404, "not-supported", f"没有地址 {entry.url[:80]} / no such address", entry.place)
    # The Bundle's own door was passed already: this is the view behind it.
    view: Callable[..., HttpResponse] = inspect.unwrap(match.func)
    return _as_entry(view(inner, *match.args, **match.kwargs), inner)


def _give_body(inner: HttpRequest, entry: _Entry) -> None:
    content, kind = entry.resource, "application/fhir+json"
    if entry.method == "PATCH" and isinstance(content, dict) and content.get("resourceType") == "Binary":
        content, kind = _binary(content, entry), negotiation.JSON_PATCH
    inner._body = b"" if content is None else exact.dumps(content)
    inner.content_type = kind
    inner.META["CONTENT_TYPE"] = kind


def _as_entry(response: HttpResponse, inner: HttpRequest) -> dict[str, Any]:
    status = f"{response.status_code} {_REASONS.get(response.status_code, '')}".strip()
    found: dict[str, Any] = {"status": status}
    if "ETag" in response.headers:
        found["etag"] = response.headers["ETag"]
    if "Location" in response.headers:
        found["location"] = response.headers["Location"].removeprefix(base_of(inner))
    if "Last-Modified" in response.headers:
        seconds = parse_http_date(response.headers["Last-Modified"])
        found["lastModified"] = stamp(datetime.fromtimestamp(seconds, tz=UTC))
    body = response.content if inner.method != "HEAD" else b""
    entry: dict[str, Any] = {"response": found}
    if body:
        entry["resource"] = orjson.Fragment(body)
    return entry


def _transaction(request: HttpRequest, entries: list[_Entry]) -> None:
    """All of it or nothing: everything that is written goes in one statement, things of workflows before it."""
    given: dict[str, str] = {}
    for entry in sorted(entries, key=lambda one: _ORDER[one.method]):
        _prepare(request, entry, given)
    drafts = [entry.draft for entry in entries if entry.draft is not None]
    writing.recognise(drafts, actor_of(request))
    for entry in entries:
        if entry.draft is not None and entry.full_url and entry.draft.fhir_id and entry.draft.method != "DELETE":
            given[entry.full_url] = entry.draft.reference
    workflow = [entry for entry in entries if entry.draft is not None and writing.is_of_workflow(entry.draft)]
    for entry in workflow:
        _store(request, [entry], given)
        if entry.full_url and entry.draft is not None:
            given[entry.full_url] = entry.draft.reference
    _check_distinct(entries)
    _store(request, [entry for entry in entries if entry.draft is not None and entry not in workflow], given)
    _answer_written(request, entries)
    for entry in entries:
        if entry.answer is None:
            entry.answer = _asked(request, entry)


def _prepare(request: HttpRequest, entry: _Entry, given: dict[str, str]) -> None:
    """Make a draft of an entry that writes; what a condition finds is settled before anything is written."""
    if entry.method in ("GET", "HEAD"):
        return
    parts = urlsplit(entry.url)
    kind, _, key = parts.path.strip("/").partition("/")
    interactions.known(kind)
    allow(request, kind, _VERBS[entry.method])
    if "/" in key or key.startswith(("$", "_")):
        raise FhirRefused(
            422,
            "not-supported",
            "事务中不支持此地址 / not in a transaction",
            f"Bundle.entry[{entry.position}].request.url",
        )
    if entry.method == "POST":
        _prepare_create(entry, kind, given)
    elif entry.method == "DELETE":
        _prepare_delete(entry, kind, key, parts.query)
    else:
        _prepare_update(entry, kind, key or _matched(kind, parts.query), actor_of(request))
    if entry.draft is not None and "ifMatch" in entry.request:
        tag = str(entry.request["ifMatch"])
        entry.draft.if_match = writing.ANY_VERSION if tag.strip() == "*" else negotiation.version_of(tag, "ifMatch")


def _prepare_create(entry: _Entry, kind: str, given: dict[str, str]) -> None:
    condition = entry.request.get("ifNoneExist")
    if isinstance(condition, str):
        found = conditions.single(kind, condition.partition("?")[2] or condition)
        if found is not None:
            if entry.full_url:
                given[entry.full_url] = f"{kind}/{found}"
            entry.method, entry.url = "GET", f"{kind}/{found}"
            return
    resource = writing.checked(entry.resource, type=kind, place=entry.place)
    resource.pop("id", None)
    entry.draft = Draft("POST", kind, resource=resource, place=entry.place)


def _prepare_delete(entry: _Entry, kind: str, key: str, query: str) -> None:
    if key:
        entry.draft = Draft("DELETE", kind, fhir_id=key, place=entry.place)
        return
    found = interactions.deletions(kind, query, place=entry.place)
    if len(found) > 1:
        raise FhirRefused(
            412, "multiple-matches", f"条件找到不止一个 {kind} / the condition matches more than one", entry.place
        )
    if found:
        entry.draft = found[0]
    else:
        entry.answer = {"response": {"status": "204 No Content"}}


def _matched(kind: str, query: str) -> str:
    return conditions.single(kind, query) or ""


def _prepare_update(entry: _Entry, kind: str, key: str, actor: Actor) -> None:
    if entry.method == "PATCH":
        if not key:
            raise FhirRefused(404, "not-found", writing.ABSENT, entry.place)
        binary = entry.resource.get("resourceType") == "Binary"
        body = _binary(entry.resource, entry) if binary else entry.resource
        way = patches.json_patched if binary else patches.fhirpath_patched
        entry.draft = interactions.patch_draft(kind, key, body, way=way, place=entry.place, actor=actor)
        return
    if key and isinstance(entry.resource, dict) and entry.resource.setdefault("id", key) != key:
        raise FhirRefused(
            400, "invalid", "id 应与 request.url 一致 / id must be that of request.url", f"{entry.place}.id"
        )
    resource = writing.checked(entry.resource, type=kind, place=entry.place)
    if key or "id" in resource:
        entry.draft = Draft("PUT", kind, fhir_id=key or resource["id"], resource=resource, place=entry.place)
        entry.draft.not_found = not key
        entry.draft.only_new = entry.request.get("ifNoneMatch") == "*"
    else:
        entry.draft = Draft("POST", kind, resource=resource, place=entry.place)


def _binary(resource: dict[str, Any], entry: _Entry) -> Any:
    """The JSON Patch inside a Binary."""
    return exact.loads(_plain(resource, entry.place))


def _plain(binary: dict[str, Any], place: str) -> bytes:
    """What a Binary holds."""
    try:
        return base64.b64decode(str(binary.get("data", "")), validate=True)
    except (binascii.Error, ValueError) as error:
        raise FhirRefused(422, "value", "Binary.data 不是 base64 / is not base64", f"{place}.data") from error


def _check_distinct(entries: list[_Entry]) -> None:
    seen: dict[tuple[str, str], int] = {}
    for entry in entries:
        if entry.draft is None or not entry.draft.fhir_id:
            continue
        key = (entry.draft.type, entry.draft.fhir_id)
        if key in seen:
            raise FhirRefused(
                400,
                "duplicate",
                f"第 {seen[key] + 1} 条与第 {entry.position + 1} 条是同一资源 / the same resource twice in a transaction",
                f"Bundle.entry[{entry.position}]",
            )
        seen[key] = entry.position


def _store(request: HttpRequest, entries: list[_Entry], given: dict[str, str]) -> None:
    drafts = [entry.draft for entry in entries if entry.draft is not None]
    for draft in drafts:
        if draft.resource is not None and given:
            draft.resource = rewritten(draft.resource, given)
    if drafts:
        writing.store(drafts, actor=actor_of(request), base=base_of(request))


def _answer_written(request: HttpRequest, entries: list[_Entry]) -> None:
    wish = negotiation.preference(request).returned
    for entry in entries:
        draft = entry.draft
        if draft is None:
            continue
        statuses = {"created": "201 Created", "deleted": "204 No Content"}
        response: dict[str, Any] = {
            "status": statuses.get(draft.outcome, "200 OK"),
            "location": f"{draft.reference}/_history/{draft.version}",
            "etag": f'W/"{draft.version}"',
        }
        if draft.updated_at is not None:
            response["lastModified"] = stamp(draft.updated_at)
        entry.answer = {"response": response}
        if draft.outcome != "deleted":
            entry.answer["fullUrl"] = f"{base_of(request)}{draft.reference}"
    if "return=representation" in request.headers.get("Prefer", "") and wish == "representation":
        _add_representations(entries)


def _add_representations(entries: list[_Entry]) -> None:
    for entry in entries:
        draft = entry.draft
        told = draft is not None and (draft.method != "PATCH" or interactions.may_read(draft.type))
        if told and draft is not None and entry.answer is not None and draft.outcome != "deleted":
            found = stored.fetch(type=draft.type, fhir_id=draft.fhir_id)
            if found is not None:
                entry.answer["resource"] = orjson.Fragment(found.text)
