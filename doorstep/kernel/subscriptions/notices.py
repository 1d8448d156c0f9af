"""Notification Bundles of the Subscriptions R5 Backport 1.1: type history, its first entry a Parameters with the status.

hl7.org/fhir/uv/subscriptions-backport/StructureDefinition-backport-subscription-notification-r4.html
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.utils import timezone

from doorstep.kernel.record.actions import stamp
from doorstep.kernel.subscriptions.models import Notification, Subscription
from doorstep.kernel.subscriptions.reading import BACKPORT

HANDSHAKE, HEARTBEAT, EVENT = "handshake", "heartbeat", "event-notification"
QUERY_STATUS, QUERY_EVENT = "query-status", "query-event"


@dataclass(frozen=True, slots=True)
class Event:
    """An event as it may be told: without a focus when the client may not see it (any more), its text only when asked for."""

    number: int
    at: datetime
    focus: str = ""
    version: int = 1
    text: str = ""


def event_of(notification: Notification, *, text: str | None, content: str) -> Event:
    """An event with as much as the content allows; `text` is the resource as the client may see it, None when it may not."""
    if content == Subscription.Content.EMPTY or text is None:
        return Event(notification.number, notification.at)
    full = content == Subscription.Content.FULL
    focus = f"{notification.type}/{notification.fhir_id}"
    return Event(notification.number, notification.at, focus, notification.version, text if full else "")


def bundle(subscription: Subscription, kind: str, events: Sequence[Event] = (), content: str = "") -> dict[str, Any]:
    """The whole notification; `kind` is one of the codes above."""
    told = content or subscription.content
    entries = [
        {
            "fullUrl": f"urn:uuid:{uuid.uuid4()}",
            "resource": status(subscription, kind, events, content=told),
            "request": {"method": "GET", "url": f"Subscription/{subscription.key}/$status"},
            "response": {"status": "200"},
        }
    ]
    for one in events:
        if one.focus:
            entries.append(_entry(subscription.base, one))
    return {
        "resourceType": "Bundle",
        "id": str(uuid.uuid4()),
        "meta": {"profile": [f"{BACKPORT}/backport-subscription-notification-r4"]},
        "type": "history",
        "timestamp": stamp(timezone.now()),
        "entry": entries,
    }


def status(subscription: Subscription, kind: str, events: Sequence[Event] = (), *, content: str = "") -> dict[str, Any]:
    """The Parameters that say how a subscription stands and which events are told."""
    reference = f"{subscription.base}Subscription/{subscription.key}"
    parts: list[dict[str, Any]] = [{"name": "subscription", "valueReference": {"reference": reference}}]
    if subscription.topic and content != Subscription.Content.EMPTY:
        parts.append({"name": "topic", "valueCanonical": subscription.topic})
    parts.append({"name": "status", "valueCode": subscription.state})
    parts.append({"name": "type", "valueCode": kind})
    parts.append({"name": "events-since-subscription-start", "valueString": str(subscription.last_number)})
    for one in events:
        told: list[dict[str, Any]] = [
            {"name": "event-number", "valueString": str(one.number)},
            {"name": "timestamp", "valueInstant": stamp(one.at)},
        ]
        if one.focus:
            told.append({"name": "focus", "valueReference": {"reference": f"{subscription.base}{one.focus}"}})
        parts.append({"name": "notification-event", "part": told})
    if subscription.error:
        parts.append({"name": "error", "valueCodeableConcept": {"text": subscription.error}})
    return {
        "resourceType": "Parameters",
        "id": str(uuid.uuid4()),
        "meta": {"profile": [f"{BACKPORT}/backport-subscription-status-r4"]},
        "parameter": parts,
    }


def _entry(base: str, one: Event) -> dict[str, Any]:
    first = one.version == 1
    found: dict[str, Any] = {
        "fullUrl": f"{base}{one.focus}",
        "request": {"method": "POST" if first else "PUT", "url": one.focus.partition("/")[0] if first else one.focus},
        "response": {"status": "201" if first else "200"},
    }
    return {**found, "resource": orjson.Fragment(one.text)} if one.text else found
