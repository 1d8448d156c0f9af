"""AppointmentResponse: somebody says whether they come, or the clinic whether it keeps the time (hl7.org/fhir/R4/appointmentresponse.html)."""

import uuid
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.coordination.scheduling import actions, booking_queries, waiting_actions, waiting_queries
from doorstep.coordination.scheduling.models import Booking, WaitingEntry
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Conflict, NotFound, Refused
from doorstep.kernel.record import actions as record
from doorstep.kernel.record.publishing import Published
from doorstep.site.fhir.bookings import booker

_YES, _NO = "accepted", "declined"


class AnswerDoor:
    """Every answer to an Appointment of ours: yes or no to an offer of the waiting list, no to a booking."""

    def owns(self, resource: dict[str, Any]) -> bool:
        """By the Appointment that it names: a booking or a wait of the house."""
        return _thing(resource) is not None

    def create(self, resource: dict[str, Any], *, actor: Actor) -> str:
        """Do what the answer says; it stands in the record beside the Appointment.

        Raises Refused for an answer that is neither yes nor no or speaks for another person, Conflict when there is nothing to answer.
        """
        thing, said = _thing(resource), str(resource.get("participantStatus"))
        if thing is None:
            raise NotFound()
        if said not in (_YES, _NO):
            message = _("请答复 accepted 或 declined。")
            raise Refused(message, fields={"participantStatus": message})
        speaker = str((resource.get("actor") or {}).get("reference", ""))
        if speaker.startswith("Patient/") and speaker != f"Patient/{thing.resident_key}":
            message = _("答复人不是这个预约的居民。")
            raise Refused(message, fields={"actor": message})
        if isinstance(thing, WaitingEntry):
            _answer_offer(thing, said, actor)
        else:
            _answer_booking(thing, said, str(resource.get("comment") or "").strip(), actor)
        return _shown(resource, thing, actor)

    def update(self, fhir_id: str, resource: dict[str, Any], *, actor: Actor) -> None:
        """What was answered stands."""
        raise Conflict(_("答复已经生效，不能修改；请另发一个答复。"))

    def withdraw(self, fhir_id: str, *, actor: Actor) -> None:
        """What was answered stands."""
        raise Conflict(_("答复已经生效，不能删除。"))


def _thing(resource: dict[str, Any]) -> Booking | WaitingEntry | None:
    """The booking or the wait that is answered, as far as the sender sees it."""
    key = str((resource.get("appointment") or {}).get("reference", "")).rpartition("Appointment/")[2]
    try:
        wanted = uuid.UUID(key)
    except ValueError:
        return None
    return booking_queries.booking_by_key(key=wanted) or waiting_queries.entry_by_key(key=wanted)


def _answer_offer(entry: WaitingEntry, said: str, actor: Actor) -> None:
    able = booker(actor)
    if entry.state == "waiting" and said == _YES:
        raise Conflict(_("还没有可确认的号源，有号时会按次序通知。"))
    if said == _YES:
        waiting_actions.accept(entry_key=entry.key, actor=able)
    elif entry.state == "offered":
        waiting_actions.pass_by(entry_key=entry.key, actor=able)
    else:
        waiting_actions.leave(entry_key=entry.key, actor=able)


def _answer_booking(booking: Booking, said: str, comment: str, actor: Actor) -> None:
    if said == _NO:
        reason = comment or _("参与方谢绝")
        actions.cancel(booking_key=booking.key, actor=booker(actor), reason=reason)
    elif booking.state not in ("booked", "arrived"):
        now = booking.machine.state(booking.state).zh
        raise Conflict(_("预约当前为%(state)s，不能再确认。") % {"state": now})


def _shown(resource: dict[str, Any], thing: Booking | WaitingEntry, actor: Actor) -> str:
    key = str(uuid.uuid4())
    published = Published(
        content={**resource, "id": key},
        organization_id=thing.organization_id,
        occurred_at=timezone.now(),
        episode=thing.reference or thing.subject,
    )
    record.publish(published, resident_id=thing.resident_id, actor=actor)
    return key
