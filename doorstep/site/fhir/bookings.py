"""Appointment: POST books a place of a slot, status cancelled gives it back (hl7.org/fhir/R4/appointment.html)."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from doorstep.care.referrals import queries as referrals
from doorstep.coordination.scheduling import actions, attending_actions, queries
from doorstep.coordination.scheduling.models import Booking
from doorstep.coordination.scheduling.permissions import Permission
from doorstep.coordination.scheduling.rules import Quota
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Conflict, NotFound, Refused
from doorstep.people.organizations import queries as organizations
from doorstep.people.residents import queries as residents

_WORDS = ("arrived", "checked-in")


class BookingDoor:
    """Every Appointment of this server is a booking."""

    def owns(self, resource: dict[str, Any]) -> bool:
        """All of them: a place is booked, not described."""
        return True

    def create(self, resource: dict[str, Any], *, actor: Actor) -> str:
        """Hold and book the slot that the Appointment names, for the patient among its participants."""
        actor = booker(actor)
        if resource.get("status") not in ("booked", "pending", "proposed"):
            raise Refused(_("新预约的 status 应为 booked。"), fields={"status": _("新预约的 status 应为 booked。")})
        slot, resident_id = _slot(resource), _resident(resource)
        reference = _reference(resource, actor)
        hold = actions.hold(
            slot_key=slot,
            origin=_origin(resource),
            actor=actor,
            resident_id=resident_id,
            wish=actions.Wish(reference=reference),
        )
        return str(actions.book(hold_key=hold.key, resident_id=resident_id, actor=actor, reference=reference).key)

    def move(self, fhir_id: str, resource: dict[str, Any], *, actor: Actor) -> str:
        """Another time or another status; returns the id of the Appointment that stands now, a new one for a new time."""
        able = booker(actor)
        booking = queries.get_booking(booking_key=fhir_id, actor=able)
        if not resource.get("slot") or _slot(resource) == str(booking.slot.key):
            self.update(fhir_id, resource, actor=actor)
            return fhir_id
        moved = actions.move(booking_key=fhir_id, slot_key=_slot(resource), origin=_origin(resource), actor=able)
        return str(moved.key)

    def update(self, fhir_id: str, resource: dict[str, Any], *, actor: Actor) -> None:
        """Move the booking to the Appointment's status: cancelled, arrived, fulfilled, or booked again where a check-in was wrong.

        Raises Refused for another time or person: a new time is a new Appointment, by $change.
        """
        actor = booker(actor)
        booking = queries.get_booking(booking_key=fhir_id, actor=actor)
        wanted, now = resource.get("status"), booking.machine.state(booking.state).fhir
        if wanted != "cancelled":
            _check_same(resource, booking)
        if wanted == now:
            return
        if wanted == "cancelled":
            reason = (resource.get("cancelationReason") or {}).get("text") or str(resource.get("comment") or "")
            if booking.state == "arrived":
                # Who is here already and is not seen has left; nothing is given back.
                attending_actions.leave(booking_key=fhir_id, actor=_caller(actor), reason=reason)
            else:
                actions.cancel(booking_key=fhir_id, actor=actor, reason=reason or _("接入系统取消"))
        elif wanted == "booked" and booking.state == "arrived":
            reason = str(resource.get("comment") or "") or _("接入系统撤销报到")
            attending_actions.take_back_arrival(booking_key=fhir_id, actor=_caller(actor), reason=reason)
        elif wanted in _WORDS:
            actions.arrive(booking_key=fhir_id, actor=actor)
        elif wanted == "fulfilled":
            actions.fulfil(booking_key=fhir_id, actor=actor)
        else:
            raise Conflict(_("预约不能从 %(now)s 改为 %(wanted)s。") % {"now": now, "wanted": wanted})

    def withdraw(self, fhir_id: str, *, actor: Actor) -> None:
        """A DELETE cancels: a booking is never erased."""
        actions.cancel(booking_key=fhir_id, actor=booker(actor), reason=_("接入系统取消"))


def booker(actor: Actor) -> Actor:
    """The hospital system with the permission that its own write of an Appointment implies."""
    return actor.with_permissions({*actor.permissions, Permission.SLOT_BOOK})


def _caller(actor: Actor) -> Actor:
    """The hospital system with the permission that its word on a check-in of its own clinic implies."""
    return actor.with_permissions({*actor.permissions, Permission.QUEUE_CALL})


def _check_same(resource: dict[str, Any], booking: Booking) -> None:
    """Raise Refused where an Appointment names another slot, time or person than the booking has: nothing is passed over in silence."""
    named = [str(one.get("reference", "")).rpartition("/")[2] for one in resource.get("slot", [])]
    slot = booking.slot
    other_time = any(
        resource.get(name) and _instant(str(resource[name])) != at.replace(microsecond=0)
        for name, at in (("start", slot.starts_at), ("end", slot.ends_at))
    )
    if named not in ([], [str(slot.key)]) or other_time:
        message = _("改约请用 POST Appointment/$change（appointment、slot），新时间是一个新的预约。")
        raise Refused(_("预约的时间不能直接修改。"), fields={"slot": message})
    people = [str((one.get("actor") or {}).get("reference", "")) for one in resource.get("participant", [])]
    if any(one.startswith("Patient/") and one != f"Patient/{booking.resident_key}" for one in people):
        message = _("预约不能改给另一位居民，请取消后另约。")
        raise Refused(message, fields={"participant": message})


def _instant(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(microsecond=0)
    except ValueError:
        return None


def _slot(resource: dict[str, Any]) -> str:
    slots = [str(one.get("reference", "")) for one in resource.get("slot", [])]
    if len(slots) != 1 or "Slot/" not in slots[0]:
        message = _("预约应引用一个号源：slot[0].reference = Slot/…。")
        raise Refused(message, fields={"slot": message})
    return slots[0].rpartition("/")[2]


def _reference(resource: dict[str, Any], actor: Actor) -> str:
    """The referral that it is for, when the system may see that; "" for none."""
    based = [str(one.get("reference", "")) for one in resource.get("basedOn", [])]
    found = next((one.rpartition("/")[2] for one in based if "ServiceRequest/" in one), "")
    return referrals.get(key=found, actor=actor).subject if organizations.as_uuid(found) else ""


def _resident(resource: dict[str, Any]) -> int:
    for participant in resource.get("participant", []):
        reference = str((participant.get("actor") or {}).get("reference", ""))
        if reference.startswith("Patient/"):
            found = residents.behind_reference(reference=reference)
            if found is None:
                raise NotFound()
            return found[0]
    message = _("预约的 participant 中没有患者。")
    raise Refused(message, fields={"participant": message})


def _origin(resource: dict[str, Any]) -> str:
    codes = [one.get("code") for kind in resource.get("serviceCategory", []) for one in kind.get("coding", [])]
    return next((str(code) for code in codes if code in set(Quota)), str(Quota.OPEN))
