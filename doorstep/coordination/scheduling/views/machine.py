"""FHIR operations on the one pool: $find, $hold and $release on Slot, $book, $change and $cancel on Appointment.

Each takes a Parameters resource ($find also query parameters) and calls the same actions as the pages.
"""

import hashlib
import uuid
from datetime import datetime
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils import timezone

from doorstep.coordination.scheduling import actions, booking_queries, clinic_queries, fhir, own_queries, queries
from doorstep.coordination.scheduling.fhir import booking_resources
from doorstep.coordination.scheduling.outcomes import Wish
from doorstep.coordination.scheduling.permissions import Permission
from doorstep.coordination.scheduling.states import BookingState
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.database.calls import Call
from doorstep.kernel.fhir.door import allow, at_once, machine
from doorstep.kernel.fhir.outcome import FhirRefused, answer
from doorstep.kernel.workflow import idempotency
from doorstep.people.residents import queries as residents

_LONGEST_HOLD = 30  # minutes
_MOST_FOUND = 200
_FOUND_BY = frozenset({"organization", "specialty", "start", "end", "origin", "_count", "_format", "_pretty"})
# One name space for the idempotency keys of all clients; the client's own number keeps them apart.
_REQUESTS = uuid.UUID("5f0c2d8e-6a55-4a0e-9a58-0f8f4be1d2c7")


@machine
def find(request: HttpRequest) -> HttpResponse:
    """GET Slot/$find, or POST with Parameters: slots with a place left; organization, specialty, start, end, origin, _count.

    Without an organization those of all units of the consortium. A parameter that is not known is refused, and no slot is shown for it.
    """
    if request.method not in ("GET", "HEAD", "POST"):
        sentence = "此地址只支持 GET、POST / only GET and POST here"
        raise FhirRefused(405, "not-supported", sentence, headers={"Allow": "GET, HEAD, POST"})
    allow(request, "Slot", "s")
    actor = _actor(request)
    actor.check(Permission.SLOT_VIEW)
    asked = _asked(request)
    if unknown := sorted(asked.keys() - _FOUND_BY):
        sentence = f"没有参数 {unknown[0][:40]}，可用 {', '.join(sorted(_FOUND_BY))} / no such parameter"
        raise FhirRefused(400, "invalid", sentence, unknown[0][:40])
    count = asked.get("_count", "50")
    if not (count.isascii() and count.isdecimal()):
        raise FhirRefused(422, "value", "_count 应为 0 或正整数 / must be 0 or more", "_count")
    named = [value.rpartition("/")[2] for value in asked.getlist("organization")]
    found = queries.free_slots(
        organization_ids=queries.organization_ids(named) if named else clinic_queries.units_with_clinics(actor=actor),
        origin=_origin(asked.get("origin", "open")),
        since=_instant(asked.get("start", "")),
        until=_instant(asked.get("end", "")),
        specialty=asked.get("specialty", ""),
        limit=min(_MOST_FOUND, int(count) if len(count) < 5 else _MOST_FOUND),
        actor=actor,
    )
    described = own_queries.described([(timezone.localdate(), found)])
    entries = [
        {"resource": fhir.found_slot(one, described=described.get(one.id, "")), "search": {"mode": "match"}}
        for one in found
    ]
    return answer({"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries})


@machine
def hold(request: HttpRequest) -> HttpResponse:
    """POST Slot/$hold (slot, patient, origin, minutes, basedOn): keeps a place; answers hold, until and the slot.

    With the header Idempotency-Key a resend is answered the same and keeps no second place, also when the hold is over by then.
    """
    allow(request, "Appointment", "c")
    given, actor = _given(request), _actor(request)
    resent = request.META.get("HTTP_IDEMPOTENCY_KEY", "")
    if not resent:
        return _held(*_hold(given, actor))
    key, asked = str(uuid.uuid5(_REQUESTS, f"hold|{resent}")), _digest(given)
    earlier = idempotency.claim(key=key, route=request.path, actor=actor)
    if earlier is not None:
        *same, asked_before = earlier.location.split("|")
        if asked_before != asked:
            sentence = (
                "该 Idempotency-Key 已用于另一次占号，请换一个 / this Idempotency-Key was used for another request"
            )
            raise FhirRefused(422, "value", sentence, "Idempotency-Key")
        return _held(*same)
    made = _hold(given, actor)
    # A refusal rolls the key back with everything else, so that the next try is a first one.
    idempotency.keep(key=key, status=201, location="|".join((*made, asked)), actor=actor)
    return _held(*made)


def _hold(given: dict[str, Any], actor: Actor) -> tuple[str, str, str]:
    minutes = given.get("minutes", actions.HOLD_MINUTES)
    if type(minutes) is not int or not 1 <= minutes <= _LONGEST_HOLD:
        raise FhirRefused(422, "value", f"minutes 应为 1 到 {_LONGEST_HOLD} / must be 1 to {_LONGEST_HOLD}")
    held = actions.hold(
        slot_key=_key(given, "slot"),
        origin=_origin(str(given.get("origin", "open"))),
        actor=actor,
        resident_id=_patient(given),
        minutes=minutes,
        wish=Wish(reference=_reference(given)),
    )
    return str(held.key), held.until.isoformat(), str(held.slot.key)


def _held(key: str, until: str, slot: str) -> HttpResponse:
    parameters = [
        {"name": "hold", "valueString": key},
        {"name": "until", "valueInstant": until},
        {"name": "slot", "valueReference": {"reference": f"Slot/{slot}"}},
    ]
    return answer({"resourceType": "Parameters", "parameter": parameters}, status=201)


@machine
def release(request: HttpRequest) -> HttpResponse:
    """POST Slot/$release (hold): gives a held place back; one that has gone already is no fault."""
    allow(request, "Appointment", "c")
    done = actions.release(hold_key=str(_needed(_given(request), "hold")), actor=_actor(request))
    return answer({"resourceType": "Parameters", "parameter": [{"name": "released", "valueBoolean": done}]})


def _book_alone(request: HttpRequest, entering: Call) -> HttpResponse | None:
    """A slot and a patient by their keys, in one statement; None for anything else."""
    allow(request, "Appointment", "c")
    given, actor = _given(request), _actor(request)
    slot, patient = _uuid(given.get("slot")), _patient_key(given)
    if "hold" in given or slot is None or patient is None:
        return None
    made = actions.book_alone(
        slot_key=slot,
        origin=_origin(str(given.get("origin", "open"))),
        resident_key=patient,
        actor=actor,
        request_key=_request_key(request, actor),
        wish=Wish(reference=_reference(given)),
        entering=entering,
    )
    return None if made is None else _made(made.key, made.appointment)


@machine
def _book(request: HttpRequest) -> HttpResponse:
    allow(request, "Appointment", "c")
    given, actor = _given(request), _actor(request)
    if "hold" in given:
        made = actions.book(
            hold_key=str(given["hold"]), resident_id=_patient(given), actor=actor, reference=_reference(given)
        )
    else:
        key = _patient_key(given)
        made = actions.book_at_once(
            slot_key=_key(given, "slot"),
            origin=_origin(str(given.get("origin", "open"))),
            resident_id=None if key else _patient(given),
            resident_key=key,
            actor=actor,
            request_key=_request_key(request, actor),
            wish=Wish(reference=_reference(given)),
        )
    return _made(made.key, booking_resources(made)[0].content)


# POST Appointment/$book: a hold and its patient, or a slot and a patient in one act. With the header Idempotency-Key a resend answers
# the first Appointment again.
book = at_once(_book_alone, _book)


def _made(key: uuid.UUID, content: dict[str, Any] | bytes) -> HttpResponse:
    return answer(content, status=201, headers={"Location": f"Appointment/{key}"})


def _reference(given: dict[str, Any]) -> str:
    based_on = str(given.get("basedOn", ""))
    return f"referral/{based_on.rpartition('/')[2]}" if based_on else ""


@machine
def cancel(request: HttpRequest) -> HttpResponse:
    """POST Appointment/$cancel (appointment, reason): gives a booking back; one that is cancelled already is answered as it is."""
    allow(request, "Appointment", "u")
    given = _given(request)
    found = queries.get_booking(booking_key=_key(given, "appointment"), actor=_actor(request))
    if found.state == BookingState.CANCELLED:
        # Sent again after a lost answer: what was wanted is done.
        return answer(booking_resources(found)[0].content)
    made = actions.cancel(
        booking_key=_key(given, "appointment"), actor=_actor(request), reason=str(given.get("reason", ""))
    )
    return answer(booking_resources(made)[0].content)


@machine
def change(request: HttpRequest) -> HttpResponse:
    """POST Appointment/$change (appointment, slot, origin): another time for the same thing, as a new Appointment; both or neither.

    Sent once more it answers the same Appointment. Without `origin` the place comes out of the share of the old one.
    """
    allow(request, "Appointment", "u")
    given, actor = _given(request), _actor(request)
    key = _key(given, "appointment")
    old = queries.get_booking(booking_key=key, actor=actor)
    origin = _origin(str(given.get("origin", old.quota)))
    made = actions.move(booking_key=key, slot_key=_key(given, "slot"), origin=origin, actor=actor)
    return _made(made.key, booking_resources(made)[0].content)


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


def _asked(request: HttpRequest) -> QueryDict:
    """The parameters of a reading operation: those of the address, or of the Parameters resource that R4 lets every operation take."""
    if request.method != "POST":
        return request.GET
    asked = request.GET.copy()
    for name, value in _values(request):
        asked.appendlist(name, str(value))
    return asked


def _given(request: HttpRequest) -> dict[str, Any]:
    """The values of a Parameters resource by name; a reference stands as its text."""
    if request.method != "POST":
        raise FhirRefused(405, "not-supported", "此地址只支持 POST / only POST here", headers={"Allow": "POST"})
    return dict(_values(request))


def _values(request: HttpRequest) -> list[tuple[str, Any]]:
    try:
        body = orjson.loads(request.body)
    except orjson.JSONDecodeError as error:
        raise FhirRefused(400, "structure", f"不是合法的 JSON：{error} / not valid JSON") from error
    rows = body.get("parameter") if isinstance(body, dict) and body.get("resourceType") == "Parameters" else None
    if not isinstance(rows, list):
        raise FhirRefused(422, "structure", "请发送 Parameters 资源 / send a Parameters resource", "Parameters")
    given: list[tuple[str, Any]] = []
    for row in rows:
        value = (
            next((one for name, one in row.items() if name.startswith("value")), None)
            if isinstance(row, dict)
            else None
        )
        if value is None or not isinstance(row.get("name"), str):
            raise FhirRefused(422, "structure", "参数应有 name 和 value[x] / name and value[x] needed", "Parameters")
        given.append((row["name"], value.get("reference", "") if isinstance(value, dict) else value))
    return given


def _needed(given: dict[str, Any], name: str) -> Any:
    if name not in given:
        raise FhirRefused(422, "required", f"缺少参数 {name} / parameter {name} is missing", "Parameters.parameter")
    return given[name]


def _key(given: dict[str, Any], name: str) -> str:
    return str(_needed(given, name)).rpartition("/")[2]


def _patient(given: dict[str, Any]) -> int:
    reference = str(_needed(given, "patient"))
    kind, _slash, key = reference.partition("/")
    if kind == "Patient" and (known := booking_queries.resident_of(key=key)) is not None:
        return known
    found = residents.behind_reference(reference=reference)
    if found is None:
        raise FhirRefused(
            404,
            "not-found",
            "没有这位居民，或贵院与其没有诊疗关系 / no such resident, or no care relationship",
            "patient",
        )
    return found[0]


def _patient_key(given: dict[str, Any]) -> uuid.UUID | None:
    """The key of a Patient that is named by it: the claim itself finds the resident, without a question before."""
    kind, _slash, key = str(_needed(given, "patient")).partition("/")
    return _uuid(key) if kind == "Patient" else None


def _uuid(text: object) -> uuid.UUID | None:
    """The key at the end of a reference."""
    try:
        return uuid.UUID(str(text).rpartition("/")[2])
    except ValueError:
        return None


def _origin(text: str) -> str:
    if text not in queries.ORIGINS:
        raise FhirRefused(422, "value", f"origin 应为 {', '.join(queries.ORIGINS)} / one of these", "origin")
    return text


def _instant(text: str) -> datetime | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise FhirRefused(422, "value", f"时间 {text} 无法识别 / not a time: {text}") from error
    return found if found.tzinfo else timezone.make_aware(found)


def _digest(given: dict[str, Any]) -> str:
    """What was asked, short: a key that comes with something else is not a resend."""
    return hashlib.sha256(orjson.dumps(given, option=orjson.OPT_SORT_KEYS, default=str)).hexdigest()


def _request_key(request: HttpRequest, actor: Actor) -> uuid.UUID:
    key = request.META.get("HTTP_IDEMPOTENCY_KEY", "")
    return uuid.uuid5(_REQUESTS, f"{actor.user_id}|{key}") if key else uuid.uuid4()
