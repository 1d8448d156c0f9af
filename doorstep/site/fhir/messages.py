"""$process-message: referrals as messages, for a hospital that is not on Doorstep.

After the pattern of the NHS Booking and Referral Standard (BaRS): one Bundle of type message, a MessageHeader whose event says what is
asked (message_kinds.py), its focus what it is about. A message that comes again answers as the first time and does nothing.
"""

import uuid
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.fhir import negotiation, systems
from doorstep.kernel.fhir.door import allow, machine
from doorstep.kernel.fhir.outcome import FhirRefused, answer
from doorstep.kernel.record.interactions import actor_of, base_of
from doorstep.kernel.record.writing import checked
from doorstep.kernel.workflow import idempotency
from doorstep.site.fhir.bookings import BookingDoor
from doorstep.site.fhir.message_kinds import FOCUS
from doorstep.site.fhir.referrals import ReferralDoor
from doorstep.site.fhir.returns import (
    CarePlanDoor,
    CommunicationDoor,
    EncounterDoor,
    ask_for_information,
    behind,
    discharge,
    is_inpatient,
)
from doorstep.site.fhir.tasks import TaskDoor


@machine
def process_message(request: HttpRequest) -> HttpResponse:
    """POST /fhir/$process-message: a referral, what becomes of it, and what is asked on it; the answer is a message."""
    if request.method != "POST":
        raise FhirRefused(405, "not-supported", "请以 POST 发送消息 / POST a message", headers={"Allow": "POST"})
    message = negotiation.body_of(request)
    header, focus = _parts(message)
    event = str(_part(header, "eventCoding").get("code"))
    kind = FOCUS.get(event)
    if kind is None or focus.get("resourceType") != kind:
        raise FhirRefused(
            422,
            "not-supported",
            f"eventCoding.code 应为 {', '.join(FOCUS)}，focus 应为相应资源 / unknown event, or the focus does not fit",
            "Bundle.entry[0].resource",
        )
    allow(request, kind, "u" if kind in _CHANGED and not event.endswith("-request") else "c")
    _check(event, kind, focus)
    actor = actor_of(request)
    number = _part(message, "identifier").get("value") or header.get("id") or uuid.uuid4()
    key = f"message/{number}"[:80]
    earlier = idempotency.claim(key=key, route="/fhir/$process-message", actor=actor)
    if earlier is not None:
        return answer(_response(request, header, earlier.location))
    place = _carry_out(event, message, focus, actor)
    idempotency.keep(key=key, status=200, location=place, actor=actor)
    return answer(_response(request, header, place))


# Of these a message that is no request changes one that is there.
_CHANGED = ("Task", "ServiceRequest", "Appointment")
# Who only cancels need not repeat what the resource says.
_REST: dict[str, dict[str, Any]] = {
    "servicerequest-cancel": {"intent": "order", "status": "revoked", "subject": {"display": "-"}},
    "booking-cancel": {"status": "cancelled", "participant": [{"actor": {"display": "-"}, "status": "declined"}]},
}


def _check(event: str, kind: str, focus: dict[str, Any]) -> None:
    """Raise FhirRefused with every problem of the focus."""
    checked({**_REST.get(event, {}), **focus}, type=kind, place=kind)


def _carry_out(event: str, message: dict[str, Any], focus: dict[str, Any], actor: Actor) -> str:
    """Do what a message says, by the same doors as resources that are written one by one; returns what came of it."""
    kind = FOCUS[event]
    if kind == "Encounter":
        return f"Encounter/{_encounter(event, message, focus, actor)}"
    if kind == "CarePlan":
        return f"CarePlan/{CarePlanDoor().create(focus, actor=actor)}"
    if kind in ("Communication", "Appointment"):
        return _communication(event, focus, actor) if kind == "Communication" else _booking(event, focus, actor)
    if event == "servicerequest-request":
        return f"ServiceRequest/{ReferralDoor().create({**_with_observations(message, focus), 'status': 'active'}, actor=actor)}"
    given = _named(focus)
    if kind == "Task":
        TaskDoor().update(given, focus, actor=actor)
    else:
        wanted = {**focus, "status": "revoked"} if event == "servicerequest-cancel" else focus
        ReferralDoor().update(given, _with_observations(message, wanted), actor=actor)
    return f"{kind}/{given}"


def _with_observations(message: dict[str, Any], focus: dict[str, Any]) -> dict[str, Any]:
    """The referral with the Observations of the message that it names, as if it contained them."""
    named = [one for one in _list(focus, "supportingInfo") if one.get("reference")]
    held: list[dict[str, Any]] = []
    kept: list[dict[str, str]] = []
    for entry in _list(message, "entry"):
        one = _part(entry, "resource")
        if one.get("resourceType") != "Observation":
            continue
        names = {entry.get("fullUrl"), f"Observation/{one.get('id')}"}
        for line in named:
            if line["reference"] in names:
                place = f"along-{len(held)}"
                held.append({**one, "id": place})
                kept.append({"reference": f"#{place}"})
    if not held:
        return focus
    for number, one in enumerate(held):
        checked(one, type="Observation", place=f"ServiceRequest.contained[{number}]")
    return {**focus, "contained": [*_list(focus, "contained"), *held], "supportingInfo": [*named, *kept]}


def _named(focus: dict[str, Any]) -> str:
    """The id of what a message changes."""
    given = str(focus.get("id", ""))
    if not given:
        raise FhirRefused(422, "required", "focus 缺少 id / the focus has no id", "Bundle.entry[1].resource.id")
    return given


def _booking(event: str, focus: dict[str, Any], actor: Actor) -> str:
    if event == "booking-request":
        return f"Appointment/{BookingDoor().create({**focus, 'status': 'booked'}, actor=actor)}"
    given = _named(focus)
    if event == "booking-update":
        return f"Appointment/{BookingDoor().move(given, focus, actor=actor)}"
    BookingDoor().update(given, {**focus, "status": "cancelled"}, actor=actor)
    return f"Appointment/{given}"


def _communication(event: str, focus: dict[str, Any], actor: Actor) -> str:
    if event == "communication-return":
        return f"ServiceRequest/{ask_for_information(focus, actor=actor)}"
    if (event == "communication-answer") != bool(focus.get("inResponseTo")):
        raise FhirRefused(
            422,
            "required",
            "答复须以 inResponseTo 指明所答的提问，提问不应有 / an answer names its question, a question none",
            "Communication.inResponseTo",
        )
    return f"Communication/{CommunicationDoor().create(focus, actor=actor)}"


# What an event says of an Encounter, whatever its status reads: the class decides between bed and clinic.
_STATUS = {"encounter-arrived": "arrived", "encounter-discharged": "finished"}
_CLASSES = {"encounter-treated": "AMB", "encounter-admitted": "IMP"}


def _encounter(event: str, message: dict[str, Any], focus: dict[str, Any], actor: Actor) -> str:
    door, said = EncounterDoor(), {**focus, "status": _STATUS.get(event, "in-progress")}
    if event in _CLASSES and is_inpatient(focus) != (event == "encounter-admitted"):
        said["class"] = {"system": systems.ENCOUNTER_CLASS, "code": _CLASSES[event]}
    if event != "encounter-discharged":
        return door.create(said, actor=actor)
    plan = next((one for one in _resources(message) if one.get("resourceType") == "CarePlan"), None)
    if plan is not None:
        checked(plan, type="CarePlan", place="CarePlan")
        # Left with summary and plan; the hand-back is a message of its own, until which the hospital's clock runs.
        discharge(behind(focus), plan, actor=actor)
    return door.create(said, actor=actor)


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


def _resources(message: dict[str, Any]) -> list[dict[str, Any]]:
    return [one["resource"] for one in _list(message, "entry") if isinstance(one.get("resource"), dict)]


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
