"""What happens to a referral, told to a hospital that is not on Doorstep as messages: one Bundle each, in the order of the steps.

Which side hears what stands in message_kinds.py. The envelope keeps its number when it is sent again, so a receiver that
answered into the void knows it (BaRS: the message's identifier).
"""

from dataclasses import dataclass
from typing import Any

import orjson

from doorstep.care.referrals import down_queries, queries
from doorstep.care.referrals.fhir import RETURN_REASON
from doorstep.care.referrals.models import Referral
from doorstep.kernel.access.actor import Actor, Purpose
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.access.session import for_purpose
from doorstep.kernel.fhir import systems
from doorstep.kernel.record import queries as record
from doorstep.kernel.record import stored
from doorstep.kernel.subscriptions.messages import Envelope, Silence, Told
from doorstep.kernel.workflow import queries as workflow
from doorstep.people.organizations import queries as organizations
from doorstep.people.residents import queries as residents
from doorstep.people.residents.patient import to_patient
from doorstep.site.fhir.message_kinds import ANSWER, EVENTS, FOCUS, Saying, passed_on, said_of_question, saying

Json = dict[str, Any]
_NUMBER = f"{systems.BASE}/NamingSystem/message-number"
_AT_TARGET = ("submitted", "submitted_green")
# What goes along with a focus, beside the patient: "Type" of the same referral.
_ALONG = {
    "servicerequest-request": ("Task", "Consent"),
    "servicerequest-update": ("Task",),
    "servicerequest-response": ("ServiceRequest",),
    "encounter-discharged": ("ServiceRequest", "Composition", "CarePlan"),
    "careplan-handback": ("ServiceRequest", "Encounter", "Composition"),
    "communication-return": ("ServiceRequest", "Task"),
}


@dataclass(frozen=True, slots=True)
class _Heard:
    """What a version says to the client, of which referral; `state` is the one entered, "" for a question."""

    said: Saying
    referral: Referral
    state: str = ""

    @property
    def over(self) -> bool:
        """Whether the client sees the patient no longer: it hears that, and no more."""
        return self.said.event == "servicerequest-cancel"


class ReferralMessages:
    """Writes the messages of the topic referral-messages."""

    def concerns(self, told: Told, *, actor: Actor) -> bool:
        """Whether the client's units stand on a side of the referral that this step is told to."""
        return _heard(told, actor) is not None

    def write(self, told: Told, envelope: Envelope, *, actor: Actor, most_bytes: int) -> Json | Silence:
        """The message; without what goes along when it would be too large, and of a case that ended without the patient."""
        heard = _heard(told, actor)
        focus = None if heard is None else _focus(heard, told, envelope, actor)
        if heard is None or focus is None:
            return Silence.UNSEEN
        whole = bundle(envelope, heard.said, focus, [] if heard.over else _along(heard, actor))
        return whole if len(orjson.dumps(whole)) <= most_bytes else bundle(envelope, heard.said, focus, [])


def _heard(told: Told, actor: Actor) -> _Heard | None:
    # What happened is read as the system; whether it concerns the client, as the client.
    with for_purpose(Purpose.EXCHANGE, actor):
        now = _content(told, told.version)
        before = _content(told, told.version - 1)
    if now is None:
        return None
    if told.type == "Communication":
        return _heard_question(told, now, actor)
    # A row of work: the sides of a referral see it, also after their sight of the patient has ended.
    referral = queries.by_subject(subject=f"referral/{told.fhir_id}") if organizations.as_uuid(told.fhir_id) else None
    if referral is None:
        return None
    state, earlier = _state(now), _state(before)
    sides = {"source": referral.source_id, "target": referral.target_id, "receiver": referral.receiver_id}
    said = saying(before=earlier, now=state)
    if (
        said is not None
        and state in _AT_TARGET
        and _owner(now) != f"Organization/{referral.target.key if referral.target else None}"
    ):
        # It was sent to another unit then, and has been passed on since.
        said = None
    if said is not None and any(actor.reaches(sides[side]) for side in said.sides):
        return _Heard(said, referral, state)
    if state == earlier and actor.reaches(referral.redirected_from_id):
        return _Heard(passed_on(), referral, state)
    return None


def _heard_question(told: Told, now: Json, actor: Actor) -> _Heard | None:
    try:
        question = down_queries.get_question(key=told.fhir_id)
    except NotFound:
        return None
    said = said_of_question(str(now.get("status")))
    side = question.asker_id if "sender" in said.sides else question.answerer_id
    return _Heard(said, question.referral) if actor.reaches(side) else None


def _content(told: Told, version: int) -> Json | None:
    if version < 1:
        return None
    found = stored.fetch_version(type=told.type, fhir_id=told.fhir_id, version=version)
    return None if found is None else found.content()


def _owner(task: Json) -> str:
    return str((task.get("owner") or {}).get("reference") or "")


def _state(task: Json | None) -> str:
    codings = ((task or {}).get("businessStatus") or {}).get("coding") or [{}]
    return str(codings[0].get("code") or "")


def _focus(heard: _Heard, told: Told, envelope: Envelope, actor: Actor) -> Json | None:
    if heard.over:
        return _ended(heard.referral, heard.state)
    if heard.said.event == "communication-return":
        return _returned(heard.referral, envelope)
    kind = FOCUS[heard.said.event]
    if kind != told.type:
        return _read(kind, heard.referral, actor)
    found = stored.fetch_version(type=told.type, fhir_id=told.fhir_id, version=told.version)
    if found is None:
        return None
    record.note_read(
        type=told.type, fhir_id=told.fhir_id, actor=actor, resident_id=found.resident_id, action="fhir.notify"
    )
    return _answered(found.content(), heard.referral) if kind == "Task" else found.content()


def _along(heard: _Heard, actor: Actor) -> list[Json]:
    patient = patient_of(heard.referral.resident_id, actor)
    others = [_read(kind, heard.referral, actor) for kind in _ALONG.get(heard.said.event, ("ServiceRequest",))]
    return [one for one in (patient, *others) if one is not None]


def patient_of(resident_id: int, actor: Actor) -> Json | None:
    """Who it is: a packet shows entries of the record, and whoever is sent one must know the person too."""
    try:
        resident = residents.get(resident_id=resident_id)
    except NotFound:
        return None
    record.note_read(
        type="Patient",
        fhir_id=str(resident.key),
        actor=actor,
        resident_id=resident.pk,
        action="fhir.notify",
    )
    unit = resident.organization
    return to_patient(resident, organization_key=unit.key, organization_name=unit.name).content


def _read(kind: str, referral: Referral, actor: Actor) -> Json | None:
    plan = queries.plan_of(referral=referral) if kind == "CarePlan" else None
    return resource_of(kind, str(plan.key if plan else referral.key), actor)


def resource_of(kind: str, fhir_id: str, actor: Actor) -> Json | None:
    """A resource as the client may read it, with the look noted; None for one that it may not."""
    found = stored.fetch(type=kind, fhir_id=fhir_id)
    if found is None or found.deleted:
        return None
    record.note_read(type=kind, fhir_id=fhir_id, actor=actor, resident_id=found.resident_id, action="fhir.notify")
    return found.content()


def _answered(task: Json, referral: Referral) -> Json:
    """The Task with what the answer says in words: as a hospital would send it to us."""
    words = {
        "accepted": referral.instructions,
        "offered": referral.offer_text,
        "declined": referral.alternative,
        "advised": referral.advice,
        "closed": referral.outcome,
    }.get(_state(task), "")
    told = {**task, "note": [{"text": words}]} if words else task
    if _state(task) == "declined" and words:
        told = {
            **told,
            "output": [{"type": {"coding": [{"system": ANSWER, "code": "alternative"}]}, "valueString": words}],
        }
    if referral.expected_at is not None and _state(task) in ("accepted", "offered"):
        told = {**told, "executionPeriod": {"start": referral.expected_at.isoformat(timespec="seconds")}}
    return told


def _returned(referral: Referral, envelope: Envelope) -> Json:
    """What is missing, coded and in words, as the receiving unit wrote it."""
    steps = workflow.steps_of(machine="referral", item_id=referral.pk)
    words = next((one.reason for one in reversed(steps) if one.verb == "return"), "")
    code = {"system": RETURN_REASON, "code": referral.return_code or "other"}
    return {
        "resourceType": "Communication",
        "id": str(envelope.key),
        "basedOn": [{"reference": f"ServiceRequest/{referral.key}"}],
        "status": "completed",
        "subject": {"reference": f"Patient/{referral.resident_key}"},
        "sent": envelope.at.isoformat(timespec="seconds"),
        "reasonCode": [{"coding": [code]}],
        "payload": [{"contentString": words or "请补充资料"}],
    }


def _ended(referral: Referral, state: str) -> Json:
    """That a referral is over, and no more: who hears it sees the patient no longer."""
    return {
        "resourceType": "ServiceRequest",
        "id": str(referral.key),
        "status": "revoked",
        "intent": "order",
        "subject": {"reference": f"Patient/{referral.resident_key}"},
        "note": [{"text": referral.machine.state(state).zh}],
    }


def bundle(envelope: Envelope, said: Saying, focus: Json, along: list[Json]) -> Json:
    """A message: its header, what it is about, and what goes along."""
    place = f"{envelope.base}{focus['resourceType']}/{focus['id']}"
    header = {
        "resourceType": "MessageHeader",
        "id": str(envelope.key),
        "eventCoding": {"system": EVENTS, "code": said.event},
        "destination": [{"endpoint": envelope.endpoint}],
        "source": {"name": "Doorstep", "endpoint": envelope.base},
        "focus": [{"reference": place}],
    }
    entries = [
        {"fullUrl": f"{envelope.base}{one['resourceType']}/{one['id']}", "resource": one} for one in (focus, *along)
    ]
    return {
        "resourceType": "Bundle",
        "identifier": {"system": _NUMBER, "value": str(envelope.key)},
        "type": "message",
        "timestamp": envelope.at.isoformat(timespec="seconds"),
        "entry": [{"fullUrl": f"urn:uuid:{envelope.key}", "resource": header}, *entries],
    }
