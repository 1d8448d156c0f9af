"""$process-message: referrals as messages, for a hospital that is not on Doorstep.

After the pattern of the NHS Booking and Referral Standard (BaRS): one Bundle of type message, a MessageHeader whose event says what is
asked, its focus the ServiceRequest or Task. A message that comes again answers as the first time and does nothing.
"""

import uuid
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse

from doorstep.kernel.fhir import negotiation, systems
from doorstep.kernel.fhir.door import allow, machine
from doorstep.kernel.fhir.outcome import FhirRefused, answer
from doorstep.kernel.record.interactions import actor_of, base_of
from doorstep.kernel.workflow import idempotency
from doorstep.site.fhir.referrals import ReferralDoor
from doorstep.site.fhir.tasks import TaskDoor

EVENTS = f"{systems.BASE}/CodeSystem/message-event"
# What is asked -> the type of the focus.
_FOCUS = {
    "servicerequest-request": "ServiceRequest",
    "servicerequest-update": "ServiceRequest",
    "servicerequest-cancel": "ServiceRequest",
    "servicerequest-response": "Task",
}


@machine
def process_message(request: HttpRequest) -> HttpResponse:
    """POST /fhir/$process-message: a referral, its change, its withdrawal, or the answer to one; the answer is a message."""
    if request.method != "POST":
        raise FhirRefused(405, "not-supported", "请以 POST 发送消息 / POST a message")
    message = negotiation.body_of(request)
    header, focus = _parts(message)
    event = str(_part(header, "eventCoding").get("code"))
    kind = _FOCUS.get(event)
    if kind is None or focus.get("resourceType") != kind:
        raise FhirRefused(
            422,
            "not-supported",
            f"eventCoding.code 应为 {', '.join(_FOCUS)}，focus 应为相应资源 / unknown event, or the focus does not fit",
            "Bundle.entry[0].resource",
        )
    allow(request, kind, "c" if event == "servicerequest-request" else "u")
    actor = actor_of(request)
    number = _part(message, "identifier").get("value") or header.get("id") or uuid.uuid4()
    key = f"message/{number}"[:80]
    earlier = idempotency.claim(key=key, route="/fhir/$process-message", actor=actor)
    if earlier is not None:
        return answer(_response(request, header, earlier.location))
    place = _carry_out(event, focus, actor)
    idempotency.keep(key=key, status=200, location=place, actor=actor)
    return answer(_response(request, header, place))


def _carry_out(event: str, focus: dict[str, Any], actor: Any) -> str:
    given = str(focus.get("id", ""))
    if event == "servicerequest-request":
        return f"ServiceRequest/{ReferralDoor().create({**focus, 'status': 'active'}, actor=actor)}"
    if not given:
        raise FhirRefused(422, "required", "focus 缺少 id / the focus has no id", "Bundle.entry[1].resource.id")
    if event == "servicerequest-response":
        TaskDoor().update(given, focus, actor=actor)
        return f"Task/{given}"
    wanted = {**focus, "status": "revoked"} if event == "servicerequest-cancel" else focus
    ReferralDoor().update(given, wanted, actor=actor)
    return f"ServiceRequest/{given}"


def _parts(message: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The MessageHeader, which comes first, and the entry that its focus names."""
    if not isinstance(message, dict) or message.get("resourceType") != "Bundle" or message.get("type") != "message":
        raise FhirRefused(
            422, "invalid", "请发送 type 为 message 的 Bundle / send a Bundle of type message", "Bundle.type"
        )
    entries = [one for one in _list(message, "entry") if isinstance(one.get("resource"), dict)]
    if not entries or entries[0]["resource"].get("resourceType") != "MessageHeader":
        raise FhirRefused(
            422, "required", "第一条应为 MessageHeader / the first entry is a MessageHeader", "Bundle.entry[0]"
        )
    header: dict[str, Any] = entries[0]["resource"]
    wanted = next((str(one.get("reference", "")) for one in _list(header, "focus")), "")
    for one in entries[1:]:
        resource: dict[str, Any] = one["resource"]
        if wanted in (one.get("fullUrl"), f"{resource.get('resourceType')}/{resource.get('id')}"):
            return header, resource
    raise FhirRefused(422, "not-found", "focus 不在消息内 / the focus is not in the message", "MessageHeader.focus")


def _part(whole: dict[str, Any], name: str) -> dict[str, Any]:
    """An object inside of what somebody sent; empty when it is none."""
    found = whole.get(name)
    return found if isinstance(found, dict) else {}


def _list(whole: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The objects of a list inside of what somebody sent."""
    found = whole.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _response(request: HttpRequest, header: dict[str, Any], place: str) -> dict[str, Any]:
    full = f"{base_of(request)}{place}"
    return {
        "resourceType": "Bundle",
        "type": "message",
        "timestamp": datetime.now(UTC).isoformat(timespec="seconds"),
        "entry": [
            {
                "fullUrl": f"urn:uuid:{uuid.uuid4()}",
                "resource": {
                    "resourceType": "MessageHeader",
                    "eventCoding": header["eventCoding"],
                    "source": {"endpoint": base_of(request)},
                    "response": {"identifier": str(header.get("id") or uuid.uuid4()), "code": "ok"},
                    "focus": [{"reference": full}],
                },
            }
        ],
    }
