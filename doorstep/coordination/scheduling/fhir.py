"""Schedules, slots, bookings and waits as FHIR R4 Schedule, Slot, Appointment and Task."""

from datetime import UTC, datetime
from typing import Any

from doorstep.coordination.scheduling.models import Booking, Facility, Rebooking, Schedule, Slot, WaitingEntry
from doorstep.coordination.scheduling.queries import SlotChoice
from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.record.publishing import Published
from doorstep.people.organizations.models import Department

PREVIOUS = "http://hl7.org/fhir/5.0/StructureDefinition/extension-Appointment.previousAppointment"
SERVICE = f"{systems.BASE}/CodeSystem/clinic-service"
# A room has no moment of its own, and with another one each time it is shown it would be another version.
_ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)


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
    if slot.room is not None:
        actors.append((_room(slot.room), "accepted"))
    content = elements.compact(
        {
            "resourceType": "Appointment",
            "id": str(booking.key),
            "status": booking.machine.state(booking.state).fhir,
            "cancelationReason": _why_cancelled(booking),
            "extension": _replaced(booking),
            "serviceType": [_service(schedule)],
            "specialty": _specialty(schedule.department),
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


def waiting_resources(entry: WaitingEntry) -> list[Published]:
    """A place on the waiting list as an Appointment of status waitlist, proposed while an offer stands."""
    actors = [
        (elements.reference("Patient", entry.resident_key), "accepted"),
        (elements.reference("Organization", entry.organization.key, entry.organization.name), "needs-action"),
    ]
    content = elements.compact(
        {
            "resourceType": "Appointment",
            "id": str(entry.key),
            "status": entry.machine.state(entry.state).fhir,
            "serviceType": [_service(entry.schedule)] if entry.schedule is not None else [],
            "specialty": _specialty(entry.department),
            "description": entry.department.name,
            "requestedPeriod": [{"start": entry.first_day.isoformat(), "end": entry.last_day.isoformat()}],
            "priority": entry.points,
            "created": elements.instant(entry.created_at),
            "basedOn": _based_on(entry.reference),
            "participant": [{"actor": actor, "status": status} for actor, status in actors],
        }
    )
    return [
        Published(
            content=content,
            organization_id=entry.organization_id,
            occurred_at=entry.created_at,
            episode=entry.reference or entry.subject,
        )
    ]


def rebooking_resources(task: Rebooking) -> list[Published]:
    """What a stopped clinic left to do, as a Task on the Appointment that was called off."""
    content = elements.compact(
        {
            "resourceType": "Task",
            "id": str(task.key),
            "status": task.machine.state(task.state).fhir,
            "intent": "order",
            "description": "停诊改约",
            "focus": elements.reference("Appointment", task.booking.key),
            "for": elements.reference("Patient", task.resident_key),
            "authoredOn": elements.instant(task.created_at),
            "lastModified": elements.instant(task.state_since),
        }
    )
    return [
        Published(
            content=content,
            organization_id=task.source_organization_id,
            occurred_at=task.created_at,
            episode=task.booking.reference or task.booking.subject,
        )
    ]


def service_resource(schedule: Schedule) -> Published:
    """The HealthcareService that a Schedule offers; both share their key."""
    unit = schedule.organization
    content = elements.compact(
        {
            "resourceType": "HealthcareService",
            "id": str(schedule.key),
            "active": schedule.is_active,
            "providedBy": elements.reference("Organization", unit.key, unit.name),
            "type": [_service(schedule)],
            "location": [elements.reference("Location", unit.key, unit.name)],
            "name": schedule.department.name,
            "appointmentRequired": True,
        }
    )
    return Published(content=content, organization_id=schedule.organization_id, occurred_at=schedule.created_at)


def facility_resource(facility: Facility) -> Published:
    """A machine as Device, a room as Location: what an examination is booked on, or where a clinic is held."""
    unit = facility.organization
    content: dict[str, Any]
    if facility.kind == Facility.Kind.MACHINE:
        content = {
            "resourceType": "Device",
            "id": str(facility.key),
            "status": "active",
            "deviceName": [{"name": facility.name, "type": "user-friendly-name"}],
            "owner": elements.reference("Organization", unit.key, unit.name),
            "location": elements.reference("Location", unit.key, unit.name),
        }
    else:
        content = {
            "resourceType": "Location",
            "id": str(facility.key),
            "status": "active",
            "name": facility.name,
            "mode": "instance",
            "managingOrganization": elements.reference("Organization", unit.key, unit.name),
            "partOf": elements.reference("Location", unit.key, unit.name),
        }
    return Published(content=elements.compact(content), organization_id=unit.pk, occurred_at=_ALWAYS)


def schedule_resource(schedule: Schedule) -> Published:
    """The Schedule of a department's or an expert's clinic."""
    actors = [elements.reference("HealthcareService", schedule.key, schedule.department.name)]
    if schedule.practitioner is not None:
        actors.append(elements.reference("Practitioner", schedule.practitioner.key, schedule.practitioner.name))
    if schedule.facility is not None:
        actors.append(_room(schedule.facility))
    content = elements.compact(
        {
            "resourceType": "Schedule",
            "id": str(schedule.key),
            "active": schedule.is_active,
            "serviceType": [_service(schedule)],
            "specialty": _specialty(schedule.department),
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
        "specialty": _specialty(slot.schedule.department),
        "status": "busy-unavailable" if slot.stopped_at else status,
        "start": elements.instant(slot.starts_at),
        "end": elements.instant(slot.ends_at),
        # A Slot has no element for where it is: the Schedule names the machine of today, an Appointment that of its own time.
        "comment": slot.stop_reason or (slot.room.name if slot.room is not None else ""),
    }
    return Published(
        content=elements.compact(content), organization_id=slot.organization_id, occurred_at=slot.starts_at
    )


def found_slot(choice: SlotChoice, *, described: str = "") -> dict[str, Any]:
    """A slot as $find answers it: how many places the asking origin could have stands in an extension; `described` says which kind of
    visit it is and in which room or at which machine.
    """
    return elements.compact(
        {
            "resourceType": "Slot",
            "id": str(choice.key),
            "extension": [{"url": systems.PLACES_LEFT, "valueInteger": choice.left}],
            "serviceType": [
                elements.concept(
                    SERVICE, choice.service, str(Schedule.Service(choice.service).label), choice.department_name
                )
            ],
            "specialty": [{"text": choice.department_name}],
            "comment": described,
            "schedule": elements.reference(
                "Schedule",
                choice.schedule_key,
                f"{choice.organization_name} {choice.department_name} {choice.practitioner_name}".strip(),
            ),
            "status": "free" if choice.left else "busy",
            "start": elements.instant(choice.starts_at),
            "end": elements.instant(choice.ends_at),
        }
    )


def _room(facility: Facility) -> dict[str, Any]:
    kind = "Device" if facility.kind == Facility.Kind.MACHINE else "Location"
    return elements.reference(kind, facility.key, facility.name)


def _service(schedule: Schedule) -> dict[str, Any]:
    return elements.concept(SERVICE, schedule.service, schedule.get_service_display(), schedule.department.name)


def _replaced(booking: Booking) -> list[dict[str, Any]]:
    """Which Appointment this one was made for instead: a word of R5, by the extension that HL7 keeps for it in R4."""
    if booking.replaces_key is None:
        return []
    return [{"url": PREVIOUS, "valueReference": elements.reference("Appointment", booking.replaces_key)}]


def _specialty(department: Department) -> list[dict[str, Any]]:
    """The department, by the code by which its hospital calls it: what a Schedule is declared by."""
    return [{"coding": [{"code": department.code, "display": department.name}], "text": department.name}]


def _why_cancelled(booking: Booking) -> dict[str, Any] | None:
    if booking.state == "left":
        # Cancelled in R4's words; the text says that the person was there.
        return {"text": "报到后未就诊"}
    return {"text": booking.end_reason} if booking.state == "cancelled" and booking.end_reason else None


def _based_on(reference: str) -> list[dict[str, Any]]:
    kind, _slash, key = reference.partition("/")
    return [elements.reference("ServiceRequest", key)] if kind == "referral" and key else []
