"""Schedules, slots and bookings as FHIR R4 Schedule, Slot and Appointment."""

from typing import Any

from doorstep.coordination.scheduling.models import Booking, Schedule, Slot
from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.record.publishing import Published

SERVICE = f"{systems.BASE}/CodeSystem/clinic-service"


def booking_resources(booking: Booking) -> list[Published]:
    """The Appointment of a booking; it reads with the episode that it is for."""
    slot = booking.slot
    schedule = slot.schedule
    actors = [
        (elements.reference("Patient", booking.resident_key), "accepted"),
        (elements.reference("HealthcareService", schedule.key, schedule.department.name), "accepted"),
    ]
    if schedule.practitioner is not None:
        actors.append(
            (elements.reference("Practitioner", schedule.practitioner.key, schedule.practitioner.name), "accepted")
        )
    content = elements.compact(
        {
            "resourceType": "Appointment",
            "id": str(booking.key),
            "status": booking.machine.state(booking.state).fhir,
            "serviceType": [_service(schedule)],
            "start": elements.instant(slot.starts_at),
            "end": elements.instant(slot.ends_at),
            "slot": [elements.reference("Slot", slot.key)],
            "created": elements.instant(booking.created_at),
            "basedOn": _based_on(booking.reference),
            "participant": [{"actor": actor, "status": status} for actor, status in actors],
        }
    )
    return [
        Published(
            content=content,
            organization_id=booking.organization_id,
            occurred_at=slot.starts_at,
            episode=booking.reference or booking.subject,
        )
    ]


def schedule_resource(schedule: Schedule) -> Published:
    """The Schedule of a department's or an expert's clinic."""
    actors = [elements.reference("HealthcareService", schedule.key, schedule.department.name)]
    if schedule.practitioner is not None:
        actors.append(elements.reference("Practitioner", schedule.practitioner.key, schedule.practitioner.name))
    content = elements.compact(
        {
            "resourceType": "Schedule",
            "id": str(schedule.key),
            "active": schedule.is_active,
            "serviceType": [_service(schedule)],
            "actor": actors,
        }
    )
    return Published(content=content, organization_id=schedule.organization_id, occurred_at=schedule.created_at)


def slot_resource(slot: Slot, *, free: int) -> Published:
    """The Slot: free while one place can be had, busy when none can, unavailable when the clinic was stopped."""
    status = "free" if free else "busy"
    content: dict[str, Any] = {
        "resourceType": "Slot",
        "id": str(slot.key),
        "schedule": elements.reference("Schedule", slot.schedule.key),
        "serviceType": [_service(slot.schedule)],
        "status": "busy-unavailable" if slot.stopped_at else status,
        "start": elements.instant(slot.starts_at),
        "end": elements.instant(slot.ends_at),
        "comment": slot.stop_reason,
    }
    return Published(
        content=elements.compact(content), organization_id=slot.organization_id, occurred_at=slot.starts_at
    )


def _service(schedule: Schedule) -> dict[str, Any]:
    return elements.concept(SERVICE, schedule.service, schedule.get_service_display(), schedule.department.name)


def _based_on(reference: str) -> list[dict[str, Any]]:
    kind, _slash, key = reference.partition("/")
    return [elements.reference("ServiceRequest", key)] if kind == "referral" and key else []
