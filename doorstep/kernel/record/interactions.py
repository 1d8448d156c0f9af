"""FHIR R4 over REST: read, vread, create, update, patch, delete, with their conditions (hl7.org/fhir/R4/http.html)."""

import functools
from typing import Any

from django.http import HttpRequest, HttpResponse

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.database.calls import Call
from doorstep.kernel.fhir import negotiation, patches
from doorstep.kernel.fhir.definitions import resource_types
from doorstep.kernel.fhir.door import allow, at_once, machine
from doorstep.kernel.fhir.outcome import FhirRefused, answer, beyond
from doorstep.kernel.fhir.patches import Patch
from doorstep.kernel.fhir.scopes import covers
from doorstep.kernel.record import conditions, groups, partial, queries, search_views, stored, writing
from doorstep.kernel.record.asking import Question, Row, ask
from doorstep.kernel.record.stored import Stored
from doorstep.kernel.record.writing import ABSENT, ANY_VERSION, Draft

_DIGITS = 9
# What a read may be asked; `_format` and `_pretty` change nothing of it.
_PLAIN = {"_format", "_pretty"}
_OF_READ = {*_PLAIN, "_summary", "_elements"}


def _type_at_once(request: HttpRequest, entering: Call, type: str) -> HttpResponse | None:
    return search_views.at_once(request, type, entering) if request.method in ("GET", "HEAD") else None


def _instance_at_once(request: HttpRequest, entering: Call, type: str, fhir_id: str) -> HttpResponse | None:
    # A wrong wish for a part of a resource is refused after the look, and then the look is taken back.
    # Who belongs to a Group is asked in other statements.
    if request.method not in ("GET", "HEAD") or type not in resource_types() or type == "Group":
        return None
    if request.GET.keys() - _PLAIN:
        return None
    # Who may be told in part is asked in other statements, when there is nothing to read.
    answered = _read_or_none if partial.has_parts(type) else _read
    return ask(Question(reading(type, fhir_id), answered), request, entering=entering)


@functools.partial(at_once, _type_at_once)
@machine
def type_level(request: HttpRequest, type: str) -> HttpResponse:
    """/fhir/<type>: search, create, and update, patch or delete by a condition."""
    return on_type(request, type)


def on_type(request: HttpRequest, type: str) -> HttpResponse:
    """The same for a caller that is a machine view itself."""
    known(type)
    method = request.method or "GET"
    if method in ("GET", "HEAD"):
        return search_views.answer_search(request, type)
    if method == "POST":
        return create(request, type)
    query = request.META.get("QUERY_STRING", "")
    if method == "PUT":
        return _conditional_update(request, type, query)
    if method == "PATCH":
        found = conditions.single(type, query)
        if found is None:
            raise FhirRefused(404, "not-found", ABSENT)
        return patch(request, type, found)
    if method == "DELETE":
        return _conditional_delete(request, type, query)
    raise _no_way(method, "GET, HEAD, POST, PUT, PATCH, DELETE")


@functools.partial(at_once, _instance_at_once)
@machine
def instance(request: HttpRequest, type: str, fhir_id: str) -> HttpResponse:
    """/fhir/<type>/<id>: read, update, patch, delete."""
    return on_instance(request, type, fhir_id)


def on_instance(request: HttpRequest, type: str, fhir_id: str) -> HttpResponse:
    """The same for a caller that is a machine view itself."""
    known(type)
    method = request.method or "GET"
    if method in ("GET", "HEAD"):
        return read(request, type, fhir_id)
    if method == "PUT":
        return update(request, type, fhir_id)
    if method == "PATCH":
        return patch(request, type, fhir_id)
    if method == "DELETE":
        return delete(request, type, fhir_id)
    raise _no_way(method, "GET, HEAD, PUT, PATCH, DELETE")


@machine
def vread(request: HttpRequest, type: str, fhir_id: str, version: str) -> HttpResponse:
    """GET /fhir/<type>/<id>/_history/<version>."""
    known(type)
    only_get(request)
    allow(request, type, "r")
    _check_asked(request)
    number = int(version) if version.isdecimal() and len(version) < _DIGITS else None
    found = None if number is None else stored.fetch_version(type=type, fhir_id=fhir_id, version=number)
    if found is None:
        raise FhirRefused(404, "not-found", ABSENT)
    if not found.deleted:
        queries.note_read(type=type, fhir_id=fhir_id, actor=actor_of(request), resident_id=found.resident_id)
    return _shown(request, found)


def read(request: HttpRequest, type: str, fhir_id: str) -> HttpResponse:
    """The current version; 410 for a deleted one; not there and not yours answer alike."""
    allow(request, type, "r")
    _check_asked(request)
    response = ask(Question(reading(type, fhir_id), _read_or_none), request)
    if response is not None:
        return response
    part = partial.told(type, fhir_id, actor=actor_of(request))
    if part is None:
        raise FhirRefused(404, "not-found", ABSENT)
    return answer(negotiation.shortened(request, part))


def _check_asked(request: HttpRequest) -> None:
    """Raise FhirRefused (400) for a parameter that no read knows, as a search does: what is misspelt is not passed over."""
    unknown = sorted(request.GET.keys() - _OF_READ)
    if unknown and search_views.is_strict(request):
        known = "、".join(sorted(_OF_READ))
        raise FhirRefused(
            400, "invalid", f"读取不支持参数 {unknown[0][:40]}，可用 {known} / a read knows no such parameter"
        )


def reading(type: str, fhir_id: str) -> Call:
    """The call for one resource, the look at it in the audit trail; nobody looks at what is deleted."""
    return Call("record_read", (type, fhir_id))


def _read_or_none(request: HttpRequest, row: Row | None) -> HttpResponse | None:
    return None if row is None else _read(request, row)


def _read(request: HttpRequest, row: Row | None) -> HttpResponse:
    if row is None:
        raise FhirRefused(404, "not-found", ABSENT)
    found = Stored(*row)
    if groups.is_ours(found):
        # No version of ours says who belongs: it can be read anew, and not be known already.
        return answer(negotiation.shortened(request, groups.whole(found, actor=actor_of(request))))
    return _shown(request, found)


def create(request: HttpRequest, type: str, sent: Any = None) -> HttpResponse:
    """POST: a new resource, unless If-None-Exist, or a condition in the address as some clients write it, finds one.

    `sent` stands for a body that is no resource itself.
    """
    allow(request, type, "c")
    resource = writing.checked(negotiation.body_of(request) if sent is None else sent, type=type, place=type)
    condition = request.headers.get("If-None-Exist")
    if condition is None and conditions.pairs_of(query := request.META.get("QUERY_STRING", "")):
        condition = query
    if condition is not None:
        known_id = conditions.single(type, condition.partition("?")[2] or condition)
        if known_id is not None:
            found = stored.fetch(type=type, fhir_id=known_id)
            if found is not None:
                return _written(request, found, status=200, told=may_read(type))
    resource.pop("id", None)
    return _store(request, Draft("POST", type, resource=resource, place=type))


def update(request: HttpRequest, type: str, fhir_id: str, sent: Any = None) -> HttpResponse:
    """PUT: the next version, or the first one under an id that the client may choose; `sent` as in `create`."""
    allow(request, type, "u")
    resource = writing.checked(negotiation.body_of(request) if sent is None else sent, type=type, place=type)
    if resource.get("id") != fhir_id:
        raise FhirRefused(
            400, "invalid", f"id 应与地址中的 {fhir_id[:64]} 一致 / id must be that of the address", f"{type}.id"
        )
    draft = Draft("PUT", type, fhir_id=fhir_id, resource=resource, place=type, if_match=if_match(request))
    draft.only_new = request.headers.get("If-None-Match", "").strip() == "*"
    return _store(request, draft)


def patch(request: HttpRequest, type: str, fhir_id: str) -> HttpResponse:
    """PATCH: a JSON Patch, Parameters of a FHIRPath Patch, or the changed members alone (JSON Merge Patch)."""
    allow(request, type, "u")
    body = negotiation.body_of(request, also=(negotiation.JSON_PATCH, negotiation.MERGE_PATCH))
    kind = (request.content_type or "").lower()
    way: Patch = patches.fhirpath_patched
    if kind == negotiation.JSON_PATCH or (kind != negotiation.MERGE_PATCH and isinstance(body, list)):
        # A list can only be this, though some clients call it plain JSON.
        way = patches.json_patched
    elif kind == negotiation.MERGE_PATCH or (isinstance(body, dict) and body.get("resourceType") != "Parameters"):
        # Plain JSON that is no Parameters can only be this: some clients send it so.
        way = patches.merge_patched
    draft = patch_draft(type, fhir_id, body, way=way, place=type, actor=actor_of(request))
    draft.if_match = if_match(request)
    return _store(request, draft, told=may_read(type))


def patch_draft(type: str, fhir_id: str, body: Any, *, way: Patch, place: str, actor: Actor) -> Draft:
    """The resource as the patch leaves it, checked.

    Whether a patch applies tells values (its tests): a token that does not read the type patches what its own unit has sent.
    """
    before = stored.lock([(type, fhir_id)]).get((type, fhir_id))
    if before is None:
        raise FhirRefused(404, "not-found", ABSENT, place if place != type else "")
    if before.deleted:
        raise gone(before)
    if not may_read(type) and not (before.received and before.organization_id == actor.organization_id):
        raise beyond(type, "r")
    changed = way(before.content(), body)
    if changed.get("id") != fhir_id:
        raise FhirRefused(422, "invalid", "补丁不能改 id / a patch does not change the id", f"{place}.id")
    return Draft("PATCH", type, fhir_id=fhir_id, resource=writing.checked(changed, type=type, place=place), place=place)


def delete(request: HttpRequest, type: str, fhir_id: str) -> HttpResponse:
    """DELETE: gone from reads and searches (410), kept in the history; a PUT brings it back."""
    allow(request, type, "d")
    draft = Draft("DELETE", type, fhir_id=fhir_id, place=type, if_match=if_match(request))
    return _store(request, draft)


def may_read(type: str) -> bool:
    """Whether the token reads a type, one by one or by searching: else no answer to a write shows more than was sent."""
    return covers(type, "rs")


def if_match(request: HttpRequest) -> int | None:
    """The version that the client means to change; -1 for any, as long as there is one."""
    if request.headers.get("If-Match", "").strip() == "*":
        return ANY_VERSION
    return negotiation.version_of(request.headers.get("If-Match"), "If-Match")


def known(type: str) -> None:
    """Raise FhirRefused (404) when R4 has no such type."""
    if type not in resource_types():
        raise FhirRefused(404, "not-supported", f"没有资源类型 {type[:60]} / there is no resource type {type[:60]}")


def only_get(request: HttpRequest) -> None:
    """Raise FhirRefused (405) for anything that is not a read."""
    if request.method not in ("GET", "HEAD"):
        raise FhirRefused(405, "not-supported", "此地址只支持 GET / only GET here", headers={"Allow": "GET, HEAD"})


def _no_way(method: str, allowed: str) -> FhirRefused:
    return FhirRefused(
        405,
        "not-supported",
        f"此地址不支持 {method} / {method} is not for this address",
        headers={"Allow": allowed},
    )


def gone(found: Stored) -> FhirRefused:
    """The answer for a resource that was deleted."""
    return FhirRefused(
        410,
        "deleted",
        f"{found.reference} 已删除 / {found.reference} was deleted",
        headers=negotiation.version_headers(version=found.version, updated_at=found.updated_at),
    )


def actor_of(request: HttpRequest) -> Actor:
    """Who asks."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


def base_of(request: HttpRequest) -> str:
    """The address under which this server's resources stand."""
    return request.build_absolute_uri("/fhir/")


def _conditional_update(request: HttpRequest, type: str, query: str) -> HttpResponse:
    found = conditions.single(type, query)
    if found is not None:
        allow(request, type, "u")
        body = negotiation.body_of(request)
        if isinstance(body, dict):
            if body.get("id", found) != found:
                raise FhirRefused(400, "invalid", "id 与条件找到的资源不同 / id is not that of the match", f"{type}.id")
            body["id"] = found
        resource = writing.checked(body, type=type, place=type)
        draft = Draft("PUT", type, fhir_id=found, resource=resource, place=type, if_match=if_match(request))
        return _store(request, draft)
    allow(request, type, "c")
    resource = writing.checked(negotiation.body_of(request), type=type, place=type)
    if "id" in resource:
        draft = Draft("PUT", type, fhir_id=resource["id"], resource=resource, place=type)
        draft.not_found = True
        return _store(request, draft)
    return _store(request, Draft("POST", type, resource=resource, place=type))


def _conditional_delete(request: HttpRequest, type: str, query: str) -> HttpResponse:
    allow(request, type, "d")
    drafts = deletions(type, query, place=type)
    writing.store(drafts, actor=actor_of(request), base=base_of(request))
    return HttpResponse(status=204)


def deletions(type: str, query: str, *, place: str) -> list[Draft]:
    """The deletes of everything that a condition finds; raises FhirRefused (412) for more than one goes at once."""
    found = conditions.matching(type, conditions.pairs_of(query), limit=conditions.MOST + 1)
    if len(found) > conditions.MOST:
        raise FhirRefused(
            412, "multiple-matches", f"条件找到超过 {conditions.MOST} 个 {type}，请缩小范围 / too many match", place
        )
    return [Draft("DELETE", type, fhir_id=one, place=place) for one in found]


def _store(request: HttpRequest, draft: Draft, *, told: bool = True) -> HttpResponse:
    writing.store([draft], actor=actor_of(request), base=base_of(request))
    if draft.method == "DELETE" and draft.outcome != "updated":
        return HttpResponse(status=204, headers={"ETag": f'W/"{draft.version}"'})
    found = stored.fetch(type=draft.type, fhir_id=draft.fhir_id)
    if found is None:
        # Written, but outside what this client may read: its own doing without a relationship.
        return HttpResponse(status=201 if draft.outcome == "created" else 200)
    return _written(request, found, status=201 if draft.outcome == "created" else 200, told=told)


def _written(request: HttpRequest, found: Stored, *, status: int, told: bool) -> HttpResponse:
    headers = negotiation.version_headers(version=found.version, updated_at=found.updated_at)
    address = f"{base_of(request)}{found.reference}/_history/{found.version}"
    headers["Location"] = headers["Content-Location"] = address
    wish = negotiation.preference(request).returned
    if wish == "minimal" or not told:
        return HttpResponse(status=status, headers=headers)
    if wish == "OperationOutcome":
        return answer(
            negotiation.note(f"已写入 {found.reference} 第 {found.version} 版 / stored"), status=status, headers=headers
        )
    return answer(found.text, status=status, headers=headers)


def _shown(request: HttpRequest, found: Stored) -> HttpResponse:
    if found.deleted:
        raise gone(found)
    headers = negotiation.version_headers(version=found.version, updated_at=found.updated_at)
    if negotiation.unchanged(request, version=found.version, updated_at=found.updated_at):
        return HttpResponse(status=304, headers=headers)
    return answer(negotiation.shortened(request, found.text), headers=headers)
