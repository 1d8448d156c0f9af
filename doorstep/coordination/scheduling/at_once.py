"""Claiming and booking in one statement of the database, `scheduling_book` (sql/2_book.sql), with everything that a booking leaves.

What the traces say of a slot is remembered from the last time; the statement makes sure that it still holds and otherwise says how
it is now, with nothing done. A machine's statement also enters with the token itself and is a transaction of its own.
"""

import threading
import time
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.utils import timezone
from django.utils.translation import get_language

from doorstep.coordination.scheduling import precedence
from doorstep.coordination.scheduling.drafting import draft, facts_of
from doorstep.coordination.scheduling.models import Booking, Facility, Schedule, Slot
from doorstep.coordination.scheduling.outcomes import Wish
from doorstep.coordination.scheduling.rules import quotas_for
from doorstep.coordination.scheduling.stencils import Stencil, stencil_of
from doorstep.coordination.scheduling.taking import VIEW_AFTER, Ask, sight_of
from doorstep.kernel.access.actor import Actor, ActorKind
from doorstep.kernel.database.calls import Call, as_json, run
from doorstep.kernel.database.together import Together
from doorstep.kernel.workflow import actions as workflow
from doorstep.kernel.workflow.publication import resources_of
from doorstep.people.organizations.models import Department, Organization
from doorstep.people.workforce.models import Practitioner

# Beyond this many slots all are forgotten: each is looked up again in the statement that needs it.
_MOST = 5_000
_TRIES = 4
# A statement of this many bookings takes about as long as a person waits for a page.
_TOGETHER = Together("scheduling_book_all", most=32, leaders=1)
_lock = threading.Lock()
_known: dict[uuid.UUID, "Seen"] = {}
# Slots of which nothing was left a moment ago. It is asked anew for everybody; only what a booking would need is not prepared before.
_sold_out: dict[uuid.UUID, float] = {}
_HINT_SECONDS = 2.0
# Stencils of bookings, each with the words of the slot that it was made of.
_stencils: dict[tuple[Any, ...], tuple[str, Stencil | None]] = {}
_PLAIN = Wish()
_VIEW = f"{VIEW_AFTER.days} days"
# The rule of precedence for each set of facts: referred, signed, elder.
_GROUPS = {
    f"{'r' if referred else '-'}{'s' if signed else '-'}{'e' if elder else '-'}": precedence.stand(
        precedence.Facts(age=precedence.ELDER_FROM if elder else 0, signed=signed, referred=referred)
    ).groups
    for referred in (False, True)
    for signed in (False, True)
    for elder in (False, True)
}


@dataclass(frozen=True, slots=True)
class Seen:
    """A slot as the database last showed it: its own words, and the same as models."""

    text: str
    slot: Slot


@dataclass(frozen=True, slots=True)
class Made:
    """A booking that was made, as a machine is told of it: its key, and its Appointment as JSON."""

    key: uuid.UUID
    appointment: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it; `outcome` is a word of scheduling_book. When it is "taken", `booking` is there, for who enters by the call `made`."""

    outcome: str
    booking: Booking | None = None
    made: Made | None = None
    earlier: uuid.UUID | None = None
    resident_id: int | None = None
    # Of "refused": what the database said.
    state: str = ""
    constraint: str = ""


def go_for(ask: Ask, *, wish: Wish, home: int | None = None, entering: Call | None = None) -> Answer | None:
    """Claim and book. The slot and the resident of `ask` are named by their keys.

    With `entering` the statement is a transaction of its own, shared with whoever comes at the same moment; what the database
    refuses is answered "refused". None when nothing was done: who enters is another by now, or the statement failed. Without it the
    database's refusals are raised.
    """
    if ask.slot is None or ask.resident_key is None:
        raise ValueError("a slot and a resident are named by their keys")
    for number in range(_TRIES):
        hopeless = number == 0 and _sold_out.get(ask.slot, 0.0) > time.monotonic()
        seen, booking, made = None if hopeless else known(ask.slot), None, None
        if entering is None:
            booking, arguments = prepared(ask, seen=seen, wish=wish, home=home)
            answer = orjson.loads(run([Call("scheduling_book", arguments)])[0])
        else:
            made, text = _written(ask, seen, wish=wish, entering=entering)
            answer = _TOGETHER.call(text, entering=entering)
        if answer is None:
            return None
        if answer["outcome"] == "look":
            _remember(ask.slot, answer["seen"])
            continue
        if answer["outcome"] == "sold-out":
            _note_sold_out(ask.slot)
        return _answer(answer, booking, made)
    raise RuntimeError(f"slot {ask.slot} is changed again and again")


def prepared(
    ask: Ask, *, seen: "Seen | None", wish: Wish, home: int | None = None
) -> tuple[Booking | None, tuple[Any, ...]]:
    """The booking of a slot that is `seen`, and the arguments of scheduling_book for it.

    Without `seen` nothing is prepared: the answer is how the slot is, or that there is nothing left.
    """
    if seen is None:
        actor = ask.actor
        return None, (_asked(ask, None, wish), *(None,) * 9, actor.consortium_id, actor.user_id, ask.now, "")
    booking = _draft(seen.slot, ask, wish=wish, home=home)
    return booking, (_asked(ask, booking, wish), seen.text, *_traces(booking, ask.actor))


def listed(arguments: tuple[Any, ...]) -> str:
    """Arguments of scheduling_book as one JSON list, as scheduling_book_all takes them."""
    # All but the last four are JSON already.
    shown = (*("null" if one is None else one for one in arguments[:-4]), *(as_json(one) for one in arguments[-4:]))
    return f"[{','.join(shown)}]"


def known(slot: uuid.UUID) -> "Seen | None":
    """A slot as the database last showed it to this process."""
    return _known.get(slot)


def _written(ask: Ask, seen: "Seen | None", *, wish: Wish, entering: Call) -> tuple[Made | None, str]:
    """What will have been made of a slot that is `seen`, and the call for it in a list; by the stencil of another booking where there is one."""
    if seen is None:
        return None, listed(prepared(ask, seen=None, wish=wish)[1])
    # What a stencil leaves out is the same in all bookings of this place.
    place = (
        ask.slot,
        ask.origin,
        entering,
        ask.actor.address,
        ask.actor.request_id,
        get_language(),
        timezone.localdate(ask.now),
    )
    text, stencil = _stencils.get(place, ("", None))
    if stencil is not None and text == seen.text and wish == _PLAIN and ask.resident_key and ask.request:
        filled = stencil.filled(patient=ask.resident_key, request=ask.request, now=ask.now)
        return Made(filled.key, filled.appointment), filled.arguments
    booking, arguments = prepared(ask, seen=seen, wish=wish)
    written = listed(arguments)
    if booking is None:
        return None, written
    if wish == _PLAIN and not ask.actor.request_id:
        stencil = stencil_of(booking, arguments, written)
        with _lock:
            if len(_stencils) >= _MOST:
                _stencils.clear()
            _stencils[place] = (seen.text, stencil)
    return Made(booking.key, as_json(resources_of(booking)[0].content).encode()), written


def _asked(ask: Ask, booking: Booking | None, wish: Wish) -> str:
    actor, today = ask.actor, timezone.localdate(ask.now)
    sight, basis = sight_of(actor)
    return as_json(
        {
            "slot": ask.slot,
            "patient": ask.resident_key,
            "request": ask.request,
            "quotas": quotas_for(ask.origin),
            "reach": actor.reach,
            "unit": ask.unit,
            "first": ask.first,
            "holder": actor.organization_id,
            "booking": booking.key if booking else None,
            # With a reference, what stands behind it says what is seen.
            "sight": "" if wish.reference else sight,
            "basis": basis,
            "until": _VIEW,
            "referred": wish.reference.startswith("referral/"),
            "elders": precedence.elders_born_by(today),
            "today": today,
            "groups": _GROUPS,
        }
    )


def _draft(slot: Slot, ask: Ask, *, wish: Wish, home: int | None) -> Booking:
    if ask.request is None or ask.resident_key is None:
        raise ValueError("a request has a key")
    booking = draft(
        slot,
        key=uuid.uuid4(),
        request=ask.request,
        resident_key=ask.resident_key,
        home=home,
        actor=ask.actor,
        wish=wish,
    )
    if ask.actor.kind is ActorKind.RESIDENT and ask.resident_id is not None:
        booking.resident_id = ask.resident_id
    return booking


def _traces(booking: Booking, actor: Actor) -> tuple[Any, ...]:
    verb = "self-book" if actor.kind is ActorKind.RESIDENT else "book"
    traces = workflow.beginning(booking, verb, actor=actor, details=facts_of(booking))
    row = {
        "key": booking.key,
        "consortium_id": booking.consortium_id,
        "state": booking.state,
        "state_since": booking.state_since,
        "created_at": booking.created_at,
        "source_organization_id": booking.source_organization_id,
        "reference": booking.reference,
        "booked_by_id": booking.booked_by_id,
        "channel": booking.channel,
        "wanted_since": booking.wanted_since,
        "half_day": booking.half_day,
    }
    return (as_json(row), *traces)


def _answer(found: dict[str, Any], booking: Booking | None, made: Made | None) -> Answer:
    if found["outcome"] == "taken" and made is not None:
        return Answer("taken", made=made)
    if found["outcome"] == "taken" and booking is not None:
        booking.pk, booking.resident_id = found["booking"], found["resident"]
        booking.place_id, booking.quota, booking.groups = found["place"], found["quota"], found["groups"]
        booking._state.adding = False
        return Answer("taken", booking)
    earlier = uuid.UUID(found["booking"]) if found["outcome"] == "earlier" else None
    return Answer(
        found["outcome"],
        earlier=earlier,
        resident_id=found.get("resident"),
        state=found.get("state", ""),
        constraint=found.get("constraint", ""),
    )


def _note_sold_out(key: uuid.UUID) -> None:
    with _lock:
        if len(_sold_out) >= _MOST:
            _sold_out.clear()
        _sold_out[key] = time.monotonic() + _HINT_SECONDS


def _remember(key: uuid.UUID, seen: dict[str, Any]) -> None:
    with _lock:
        if len(_known) >= _MOST:
            _known.clear()
        _known[key] = Seen(orjson.dumps(seen).decode(), _slot(seen))


def _slot(seen: dict[str, Any]) -> Slot:
    expert = None
    if seen["expert"] is not None:
        expert = Practitioner(
            id=seen["expert"],
            key=uuid.UUID(seen["expert_key"]),
            name=seen["expert_name"],
            title=seen["expert_title"],
            specialty=seen["expert_specialty"],
        )
    room = None
    if seen["room"] is not None:
        room = Facility(
            id=seen["room"], key=uuid.UUID(seen["room_key"]), name=seen["room_name"], kind=seen["room_kind"]
        )
    schedule = Schedule(
        id=seen["schedule"],
        key=uuid.UUID(seen["schedule_key"]),
        service=seen["service"],
        organization_id=seen["unit"],
        department=Department(id=seen["department"], name=seen["department_name"], code=seen["department_code"]),
        practitioner=expert,
    )
    return Slot(
        id=seen["id"],
        key=uuid.UUID(seen["key"]),
        starts_at=datetime.fromisoformat(seen["starts"]),
        ends_at=datetime.fromisoformat(seen["ends"]),
        organization=Organization(id=seen["unit"], name=seen["unit_name"]),
        consortium_id=seen["consortium"],
        schedule=schedule,
        facility=room,
    )
