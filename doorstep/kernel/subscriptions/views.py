"""Subscription/$status and $events (Subscriptions R5 Backport 1.1), of the client's own subscriptions."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.fhir import negotiation
from doorstep.kernel.fhir.door import allow, machine
from doorstep.kernel.fhir.outcome import FhirRefused, answer
from doorstep.kernel.fhir.scopes import covers
from doorstep.kernel.record import queries as record
from doorstep.kernel.record import stored
from doorstep.kernel.subscriptions import notices, queries

_AT_ONCE = 1_000
_CONTENTS = ("empty", "id-only", "full-resource")


@machine
def status_of_type(request: HttpRequest) -> HttpResponse:
    """/fhir/Subscription/$status: the client's subscriptions, those of `id` and `status` if any are named."""
    actor = _actor(request)
    asked = _asked(request, ("id", "status"))
    return _statuses(queries.all_own(actor=actor, keys=asked["id"], states=asked["status"]))


@machine
def status(request: HttpRequest, fhir_id: str) -> HttpResponse:
    """/fhir/Subscription/<id>/$status."""
    actor = _actor(request)
    _asked(request, ("id", "status"))
    return _statuses([queries.own(key=fhir_id, actor=actor)])


@machine
def events(request: HttpRequest, fhir_id: str) -> HttpResponse:
    """/fhir/Subscription/<id>/$events: what happened, by number, as far as the client may see it today."""
    actor = _actor(request)
    asked = _asked(request, ("eventsSinceNumber", "eventsUntilNumber", "content"))
    subscription = queries.own(key=fhir_id, actor=actor)
    # A message cannot be asked for again: its versions are named, and read by whoever may.
    usual = subscription.content if subscription.content in _CONTENTS else "id-only"
    content = (asked["content"] or [usual])[0]
    if content not in _CONTENTS:
        raise FhirRefused(400, "value", f"content 应为 {', '.join(_CONTENTS)} 之一 / is one of these")
    since = _number(asked["eventsSinceNumber"], "eventsSinceNumber")
    until = _number(asked["eventsUntilNumber"], "eventsUntilNumber")
    found = queries.events(subscription=subscription, since=since or 0, until=until, limit=_AT_ONCE)
    told = []
    for one in found:
        text = None
        # By its events a token reads no type that it does not read by itself.
        if content != "empty" and covers(one.type, "rs"):
            seen = stored.fetch_version(type=one.type, fhir_id=one.fhir_id, version=one.version)
            text = None if seen is None else seen.text
            if seen is not None:
                record.note_read(type=one.type, fhir_id=one.fhir_id, actor=actor, resident_id=seen.resident_id)
        told.append(notices.event_of(one, text=text, content=content))
    return answer(notices.bundle(subscription, notices.QUERY_EVENT, told, content))


def _statuses(found: list[queries.ShownSubscription]) -> HttpResponse:
    entries = [
        {
            "fullUrl": f"urn:uuid:{(resource := notices.status(one, notices.QUERY_STATUS))['id']}",
            "resource": resource,
            "search": {"mode": "match"},
        }
        for one in found
    ]
    body: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": len(entries)}
    return answer({**body, "entry": entries} if entries else body)


def _asked(request: HttpRequest, names: tuple[str, ...]) -> dict[str, list[str]]:
    """The operation's parameters out of the address or a Parameters body; raises FhirRefused (400) for others."""
    pairs = [(name, value) for name, values in request.GET.lists() for value in values]
    if request.method == "POST" and request.body:
        body = negotiation.body_of(request)
        parts = body.get("parameter", []) if isinstance(body, dict) else []
        for part in parts if isinstance(parts, list) else []:
            if not isinstance(part, dict):
                raise FhirRefused(
                    400,
                    "structure",
                    "Parameters.parameter 应为名称和值 / a name and a value each",
                    "Parameters.parameter",
                )
            value = next((one for key, one in part.items() if key.startswith("value")), "")
            pairs.append((str(part.get("name")), str(value)))
    elif request.method not in ("GET", "HEAD", "POST"):
        raise FhirRefused(
            405, "not-supported", "此操作只支持 GET 与 POST / GET or POST", headers={"Allow": "GET, HEAD, POST"}
        )
    found: dict[str, list[str]] = {name: [] for name in names}
    for name, value in pairs:
        if name in found:
            found[name] += [one for one in value.split(",") if one]
        elif name not in ("_format", "_pretty"):
            raise FhirRefused(400, "invalid", f"此操作没有参数 {name[:40]} / there is no such parameter")
    return found


def _number(values: list[str], name: str) -> int | None:
    if not values:
        return None
    if not (values[0].isascii() and values[0].isdecimal()) or len(values[0]) > 15:
        raise FhirRefused(400, "value", f"{name} 应为不小于 0 的整数 / {name} must be a whole number")
    return int(values[0])


def _actor(request: HttpRequest) -> Actor:
    allow(request, "Subscription", "r")
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor
