"""GET /fhir/AuditEvent: the trail for machines. A system and a member of staff read their own acts, a resident who looked at the
own record, an auditor the trail of the own units; what was asked is written into the trail first.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from doorstep.kernel.access.actor import Actor, ActorKind, Purpose
from doorstep.kernel.access.permissions import Permission
from doorstep.kernel.access.session import for_purpose
from doorstep.kernel.audit import actions as audit_actions
from doorstep.kernel.audit import queries as audit
from doorstep.kernel.fhir import elements, exact, negotiation
from doorstep.kernel.fhir.door import allow, machine
from doorstep.kernel.fhir.outcome import FhirRefused, answer, outcome
from doorstep.kernel.record import search, search_views
from doorstep.kernel.record.writing import ABSENT
from doorstep.people.organizations import queries as organizations
from doorstep.people.residents import queries as residents
from doorstep.people.workforce import queries as workforce
from doorstep.site.auditing import fhir, fhir_chains, fhir_search

_TYPE = "AuditEvent"
Pairs = list[tuple[str, str]]


@machine
def of_type(request: HttpRequest) -> HttpResponse:
    """GET /fhir/AuditEvent?…: nobody else writes the trail."""
    _only(request, "GET")
    return answered(request, search_views.pairs_of(request))


@machine
def by_post(request: HttpRequest) -> HttpResponse:
    """POST /fhir/AuditEvent/_search."""
    return answered(request, search_views.posted(request))


@machine
def instance(request: HttpRequest, fhir_id: str) -> HttpResponse:
    """GET /fhir/AuditEvent/<id>."""
    _only(request, "GET")
    allow(request, _TYPE, "r")
    found = _read(request, fhir_search.parse([("_id", fhir_id), ("_count", "1")], strict=True), None)
    if not found:
        raise FhirRefused(404, "not-found", ABSENT)
    return answer(negotiation.shortened(request, exact.dumps(found[0][1]).decode()))


def answered(request: HttpRequest, pairs: Pairs) -> HttpResponse:
    """The searchset of a search of the trail; the caller is a machine view."""
    allow(request, _TYPE, "s")
    cursor = next((value for name, value in pairs if name == search.CURSOR), None)
    after, strict = None, search_views.is_strict(request)
    if cursor is not None:
        pairs, last, strict = search.opened_mark(_TYPE, cursor)
        after = (parse_datetime(str(last.get("at"))) or timezone.now(), int(last.get("id", 0)))
    asked = fhir_search.parse(pairs, strict=strict)
    wanted, summary = negotiation.parts_wanted(asked.elements, asked.summary)
    found = _read(request, asked, after)
    base = request.build_absolute_uri("/fhir/")
    bundle: dict[str, Any] = {
        "resourceType": "Bundle",
        "meta": {"lastUpdated": elements.instant(timezone.now())},
        "type": "searchset",
    }
    if asked.total and after is None:
        bundle["total"] = _counted(request, asked)
    elif after is None and len(found) <= asked.count:
        bundle["total"] = len(found)
    shown = f"?{urlencode(asked.applied)}" if asked.applied else ""
    bundle["link"] = [{"relation": "self", "url": f"{base}{_TYPE}{shown}"}]
    if asked.count and len(found) > asked.count:
        at, number = found[asked.count - 1][0]
        mark = search.sealed_mark(_TYPE, pairs, {"at": at.isoformat(), "id": number}, strict=strict)
        bundle["link"].append({"relation": "next", "url": f"{base}{_TYPE}?{search.CURSOR}={mark}"})
    entries = [
        {
            "fullUrl": f"{base}{_TYPE}/{one['id']}",
            "resource": negotiation.shown(one, wanted, summary),
            "search": {"mode": "match"},
        }
        for _, one in found[: asked.count]
    ]
    if asked.include:
        actor: Actor = request.actor  # type: ignore[attr-defined]
        entries += fhir_chains.included(asked.include, [one for _, one in found[: asked.count]], actor=actor, base=base)
    for name in asked.unknown:
        sentence = f"{_TYPE} 不支持查询参数 {name[:60]} / unknown parameter or modifier {name[:60]}"
        warned = outcome("not-supported", sentence, severity="warning")
        entries.append({"resource": warned, "search": {"mode": "outcome"}})
    if entries:
        bundle["entry"] = entries
    return answer(bundle)


def _only(request: HttpRequest, method: str) -> None:
    if request.method not in (method, "HEAD"):
        sentence = "审计记录由系统自己写，此地址只支持 GET / the trail is written by the house: only GET here"
        raise FhirRefused(405, "not-supported", sentence, headers={"Allow": "GET, HEAD"})


def _read(
    request: HttpRequest, asked: fhir_search.Search, after: tuple[Any, int] | None
) -> list[tuple[tuple[Any, int], elements.Json]]:
    """The entries of a page and one more, each with its place; the question itself is in the trail before they are read."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    names = sorted({name for name, _ in asked.applied})
    audit_actions.record(action="fhir.search", actor=actor, subject=_TYPE, details={"parameters": names})
    with _sight(actor) as own:
        rows = audit.entries(
            conditions=[*own, *asked.conditions],
            after=after,
            newest_first=asked.newest_first,
            limit=asked.count + 1 if asked.count else 0,
        )
        people = residents.brief(ids=[one.resident_id for one in rows if one.resident_id is not None])
        units = organizations.several(ids={one.organization_id for one in rows if one.organization_id is not None})
        users = {one.user_id for one in rows if one.user_id is not None and one.user_id > 0}
        keys = fhir.Keys(
            {number: one.key for number, one in people.items()},
            workforce.keys_of_users(ids=users) if users else {},
            {one.pk: one.key for one in units},
        )
    return [((one.at, one.pk), fhir.to_fhir(one, keys)) for one in rows]


def _counted(request: HttpRequest, asked: fhir_search.Search) -> int:
    with _sight(request.actor) as own:  # type: ignore[attr-defined]
        return audit.count(conditions=[*own, *asked.conditions], most=asked.total)


@contextmanager
def _sight(actor: Actor) -> Iterator[list[Q]]:
    """What of the trail an actor may read: an auditor reads under the purpose of sealing, the others behind the wall."""
    if actor.only_resident_id is not None:
        # An app that was opened for one patient knows of that one.
        yield [Q(user_id=actor.user_id, resident_id=actor.only_resident_id)]
    elif actor.kind is ActorKind.RESIDENT:
        yield [Q(resident_id__in=actor.resident_ids)]
    elif actor.kind is ActorKind.STAFF and Permission.AUDIT_VIEW in actor.permissions:
        with for_purpose(Purpose.SEALING, actor):
            yield [Q(organization_id__in=actor.reach)]
    else:
        yield [Q(user_id=actor.user_id)]
