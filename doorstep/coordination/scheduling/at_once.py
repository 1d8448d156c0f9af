"""Claiming and booking in one statement of the database, `scheduling_book` (sql/2_book.sql), with everything that a booking leaves.

What the traces say of a slot is remembered from the last time; the statement makes sure that it still holds and otherwise says how
it is now, with nothing done. A machine's statement also enters with the token itself and is a transaction of its own.
"""

import threading
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.utils import timezone

from doorstep.coordination.scheduling import precedence
from doorstep.coordination.scheduling.drafting import draft, facts_of
from doorstep.coordination.scheduling.models import Booking, Schedule, Slot
from doorstep.coordination.scheduling.outcomes import Wish
from doorstep.coordination.scheduling.rules import quotas_for
from doorstep.coordination.scheduling.taking import VIEW_AFTER, Ask, sight_of
from doorstep.kernel.access.actor import Actor, ActorKind
from doorstep.kernel.database.calls import Call, as_json, run, run_alone
from doorstep.kernel.workflow import actions as workflow
from doorstep.people.organizations.models import Department, Organization
from doorstep.people.workforce.models import Practitioner

# Beyond this many slots all are forgotten: each is looked up again in the statement that needs it.
_MOST = 5_000
_TRIES = 4
_lock = threading.Lock()
_known: dict[uuid.UUID, "Seen"] = {}
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
class Answer:
    """What came of it; `outcome` is a word of scheduling_book, `booking` is there when it is "taken"."""

    outcome: str
    booking: Booking | None = None
    earlier: uuid.UUID | None = None
    resident_id: int | None = None


def go_for(ask: Ask, *, wish: Wish, home: int | None = None, entering: Call | None = None) -> Answer | None:
    """Claim and book; None when `entering` was answered with no. The slot and the resident of `ask` are named by their keys.

    `entering` makes the statement a transaction of its own. Raises the database's refusals and constraints.
    """
    if ask.slot is None or ask.resident_key is None:
        raise ValueError("a slot and a resident are named by their keys")
    for _number in range(_TRIES):
        seen, booking = _known.get(ask.slot), None
        if seen is None:
            arguments = (*(None,) * 9, ask.actor.consortium_id, ask.actor.user_id, ask.now, "")
        else:
            booking = _draft(seen.slot, ask, wish=wish, home=home)
            arguments = (seen.text, *_traces(booking, ask.actor))
        call = Call("scheduling_book", (_asked(ask, booking, wish), *arguments))
        text = run_alone(call, entering=entering) if entering else run([call])[0]
        if text is None:
            return None
        answer = orjson.loads(text)
        if answer["outcome"] != "look":
            return _answer(answer, booking)
        _remember(ask.slot, answer["seen"])
    raise RuntimeError(f"slot {ask.slot} is changed again and again")


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
    }
    return (as_json(row), *traces)


def _answer(found: dict[str, Any], booking: Booking | None) -> Answer:
    if found["outcome"] == "taken" and booking is not None:
        booking.pk, booking.resident_id = found["booking"], found["resident"]
        booking.place_id, booking.quota, booking.groups = found["place"], found["quota"], found["groups"]
        booking._state.adding = False
        return Answer("taken", booking)
    earlier = uuid.UUID(found["booking"]) if found["outcome"] == "earlier" else None
    return Answer(found["outcome"], earlier=earlier, resident_id=found.get("resident"))


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
    schedule = Schedule(
        id=seen["schedule"],
        key=uuid.UUID(seen["schedule_key"]),
        service=seen["service"],
        organization_id=seen["unit"],
        department=Department(id=seen["department"], name=seen["department_name"]),
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
    )
