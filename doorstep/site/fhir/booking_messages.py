"""What happens to an appointment, told to a hospital that is not on Doorstep as messages: made, changed, cancelled, come, missed.

After the Appointment messages of the NHS Booking and Referral Standard (BaRS). The clinic hears who comes, whoever booked; the side that
booked hears what the clinic does with it. Nobody is told what its own system did.
"""

from dataclasses import dataclass
from typing import Any

import orjson

from doorstep.coordination.scheduling import queries
from doorstep.coordination.scheduling.models import Booking
from doorstep.kernel.access.actor import Actor, Purpose
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.access.session import for_purpose
from doorstep.kernel.record import queries as record
from doorstep.kernel.record import stored
from doorstep.kernel.subscriptions.messages import Envelope, Silence, Told
from doorstep.kernel.workflow import queries as workflow
from doorstep.kernel.workflow.models import Step
from doorstep.people.organizations import queries as organizations
from doorstep.site.fhir.message_kinds import Saying, said_of_booking
from doorstep.site.fhir.outgoing import Json, bundle, patient_of, resource_of


@dataclass(frozen=True, slots=True)
class _Heard:
    """What a version of an Appointment says to the client; `step` led to it."""

    said: Saying
    booking: Booking
    step: Step | None


class BookingMessages:
    """Writes the messages of the topic booking-messages."""

    def concerns(self, told: Told, *, actor: Actor) -> bool:
        """Whether the client's units stand on a side of the appointment that this step is told to."""
        return _heard(told, actor) is not None

    def write(self, told: Told, envelope: Envelope, *, actor: Actor, most_bytes: int) -> Json | Silence:
        """The message; one that was cancelled goes without the patient, whom the receiver sees no longer."""
        heard = _heard(told, actor)
        if heard is None:
            return Silence.UNSEEN
        if heard.said.event == "booking-cancel":
            return bundle(envelope, heard.said, _cancelled(heard), [])
        found = stored.fetch_version(type=told.type, fhir_id=told.fhir_id, version=told.version)
        if found is None:
            return Silence.UNSEEN
        record.note_read(
            type=told.type, fhir_id=told.fhir_id, actor=actor, resident_id=found.resident_id, action="fhir.notify"
        )
        focus = _focus(found.content(), heard.booking)
        whole = bundle(envelope, heard.said, focus, _along(heard.booking, actor))
        return whole if len(orjson.dumps(whole)) <= most_bytes else bundle(envelope, heard.said, focus, [])


def _heard(told: Told, actor: Actor) -> _Heard | None:
    if organizations.as_uuid(told.fhir_id) is None:
        return None
    with for_purpose(Purpose.EXCHANGE, actor):
        now, before = (_status(told, version) for version in (told.version, told.version - 1))
    try:
        # A row of work: both sides see it, also when the clinic's sight of the patient has ended. A wait is no booking.
        booking = queries.get_booking(booking_key=told.fhir_id, actor=actor)
    except NotFound:
        return None
    said = said_of_booking(before=before, now=now, replaces=booking.changed_from_id is not None)
    if said is None or (said.event == "booking-cancel" and booking.changed_to.exists()):
        # The booking that took its place says so.
        return None
    sides = {"source": booking.source_organization_id, "target": booking.organization_id}
    if not any(actor.reaches(sides[side]) for side in said.sides):
        return None
    step = _step(booking, now)
    if step is not None and step.user_id is not None and step.user_id == actor.user_id:
        return None
    return _Heard(said, booking, step)


def _status(told: Told, version: int) -> str:
    if version < 1:
        return ""
    found = stored.fetch_version(type=told.type, fhir_id=told.fhir_id, version=version)
    return "" if found is None else str(found.content().get("status"))


def _step(booking: Booking, status: str) -> Step | None:
    """The step by which the booking came to a FHIR status."""
    steps = workflow.steps_of(machine=booking.machine.name, item_id=booking.pk)
    return next((one for one in reversed(steps) if booking.machine.state(one.to_state).fhir == status), None)


def _focus(appointment: Json, booking: Booking) -> Json:
    """The Appointment, with the one that it replaces: R4 has no element for it, so it stands among the supporting information."""
    if booking.changed_from is None:
        return appointment
    former = {"reference": f"Appointment/{booking.changed_from.key}", "display": "原预约"}
    return {**appointment, "supportingInformation": [former]}


def _along(booking: Booking, actor: Actor) -> list[Json]:
    kind, _slash, key = booking.reference.partition("/")
    referral = resource_of("ServiceRequest", key, actor) if kind == "referral" else None
    found: list[Any] = [patient_of(booking.resident_id, actor), referral]
    return [one for one in found if one is not None]


def _cancelled(heard: _Heard) -> Json:
    """That a time is free again and why; who hears it may see the patient no longer."""
    booking, step = heard.booking, heard.step
    content: Json = {
        "resourceType": "Appointment",
        "id": str(booking.key),
        "status": "cancelled",
        "slot": [{"reference": f"Slot/{booking.slot.key}"}],
        "start": booking.slot.starts_at.isoformat(timespec="seconds"),
        "end": booking.slot.ends_at.isoformat(timespec="seconds"),
        "participant": [{"actor": {"reference": f"Patient/{booking.resident_key}"}, "status": "declined"}],
    }
    return {**content, "cancelationReason": {"text": step.reason}} if step is not None and step.reason else content
