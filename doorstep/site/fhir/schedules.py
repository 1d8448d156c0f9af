"""Schedule and Slot: a hospital system declares its clinics and their times (hl7.org/fhir/R4/schedule.html, slot.html).

A Schedule names its department by `specialty` (the code or the name by which the hospital calls it) and may name a Practitioner; a Slot
names its Schedule, its time, how many places it has (extension places) and whose share they are (serviceCategory, default open).
"""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from doorstep.coordination.scheduling import (
    clinic_actions,
    declaring_actions,
    declaring_queries,
    resuming_actions,
    stopping_actions,
)
from doorstep.coordination.scheduling.models import Slot
from doorstep.coordination.scheduling.permissions import Permission
from doorstep.coordination.scheduling.rules import Quota
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Conflict, NotFound, Refused
from doorstep.kernel.fhir import systems

PLACES = f"{systems.BASE}/StructureDefinition/places"
_SERVICES = ("expert", "clinic", "exam")


class ScheduleDoor:
    """Every Schedule of this server is a clinic whose places are booked here."""

    def owns(self, resource: dict[str, Any]) -> bool:
        """All of them: a clinic is opened, not described."""
        return True

    def create(self, resource: dict[str, Any], *, actor: Actor) -> str:
        """Open the schedule of a department of the sender's own hospital."""
        manager = _manager(actor)
        coding, text = _coding(resource, "specialty")
        department = declaring_queries.department_named(
            organization_ids=actor.reach, code=str(coding.get("code", "")), name=str(coding.get("display", "") or text)
        )
        if department is None:
            message = _("没有这个科室：specialty 应为贵院科室的代码或名称。")
            raise Refused(message, fields={"specialty": message})
        expert = None
        for one in resource.get("actor", []):
            kind, _slash, key = str(one.get("reference", "")).partition("/")
            if kind == "Practitioner":
                expert = declaring_queries.practitioner_by_key(key=key)
                if expert is None:
                    message = _("没有这位医生：请先登记人员，或不写 Practitioner。")
                    raise Refused(message, fields={"actor": message})
        wanted = _coding(resource, "serviceType")[0].get("code")
        schedule = clinic_actions.create_schedule(
            organization_id=department.organization_id,
            department_id=department.pk,
            practitioner_id=expert.pk if expert else None,
            service=str(wanted) if wanted in _SERVICES else "expert" if expert else "clinic",
            actor=manager,
        )
        declaring_actions.show_schedule(schedule=schedule, actor=manager)
        return str(schedule.key)

    def update(self, fhir_id: str, resource: dict[str, Any], *, actor: Actor) -> None:
        """A schedule keeps its department and doctor: open another one instead."""
        if _schedule(fhir_id).is_active != resource.get("active", True):
            raise Conflict(_("排班的启用与停用请在排班页面办理，或逐个停诊时段。"))

    def withdraw(self, fhir_id: str, *, actor: Actor) -> None:
        """A schedule with its history is not erased."""
        raise Refused(_("排班不能删除，请停用或停诊。"))


class SlotDoor:
    """Every Slot is a time with places."""

    def owns(self, resource: dict[str, Any]) -> bool:
        """All of them: a time is opened, not described."""
        return True

    def create(self, resource: dict[str, Any], *, actor: Actor) -> str:
        """Open a time of a schedule of the sender's own hospital."""
        if resource.get("status") != "free":
            message = _("新时段的 status 应为 free。")
            raise Refused(message, fields={"status": message})
        reference = str((resource.get("schedule") or {}).get("reference", ""))
        schedule = _schedule(reference.rpartition("/")[2])
        code = _coding(resource, "serviceCategory")[0].get("code")
        slot = declaring_actions.declare_slot(
            schedule=schedule,
            starts_at=_instant(resource, "start"),
            ends_at=_instant(resource, "end"),
            places={str(code) if code in set(Quota) else Quota.OPEN.value: _places(resource)},
            actor=_manager(actor),
        )
        return str(slot.key)

    def update(self, fhir_id: str, resource: dict[str, Any], *, actor: Actor) -> None:
        """busy-unavailable stops the time and calls off who is booked there; free or busy after it lets it take place after all.

        Which of these two a time is follows from its bookings. Raises Refused for another time or schedule.
        """
        slot = declaring_queries.slot_by_key(key=fhir_id)
        if slot is None:
            raise NotFound()
        if _moves(resource, slot):
            message = _("时段的起止时间和所属排班不能修改，请停诊后另开时段。")
            raise Refused(message, fields={"start": message})
        if resource.get("status") == "busy-unavailable" and slot.stopped_at is None:
            self._stop(fhir_id, str(resource.get("comment") or _("院内系统停诊")), actor)
        elif resource.get("status") != "busy-unavailable" and slot.stopped_at is not None:
            resuming_actions.resume_clinic(
                schedule=slot.schedule, since=slot.starts_at, until=slot.ends_at, actor=_manager(actor)
            )

    def withdraw(self, fhir_id: str, *, actor: Actor) -> None:
        """A DELETE stops the time."""
        self._stop(fhir_id, _("院内系统停诊"), actor)

    def _stop(self, fhir_id: str, reason: str, actor: Actor) -> None:
        slot = declaring_queries.slot_by_key(key=fhir_id)
        if slot is None:
            raise NotFound()
        stopping_actions.stop_clinic(
            schedule=slot.schedule, since=slot.starts_at, until=slot.ends_at, reason=reason, actor=_manager(actor)
        )


def _manager(actor: Actor) -> Actor:
    """The hospital system with the permission that declaring its own clinics implies; other hospitals stay out of its reach."""
    return actor.with_permissions({*actor.permissions, Permission.SCHEDULE_MANAGE})


def _schedule(key: str) -> Any:
    found = declaring_queries.schedule_by_key(key=key)
    if found is None:
        raise NotFound()
    return found


def _moves(resource: dict[str, Any], slot: Slot) -> bool:
    """Whether a resource gives a slot another time or another schedule."""
    reference = str((resource.get("schedule") or {}).get("reference", ""))
    return (
        _instant(resource, "start").replace(microsecond=0) != slot.starts_at.replace(microsecond=0)
        or _instant(resource, "end").replace(microsecond=0) != slot.ends_at.replace(microsecond=0)
        or reference.rpartition("/")[2] != str(slot.schedule.key)
    )


def _coding(resource: dict[str, Any], name: str) -> tuple[dict[str, Any], str]:
    concepts = resource.get(name) or []
    first = concepts[0] if concepts else {}
    codings = first.get("coding") or [{}]
    return codings[0], str(first.get("text", ""))


def _places(resource: dict[str, Any]) -> int:
    given = [one.get("valueInteger") for one in resource.get("extension", []) if one.get("url") == PLACES]
    return int(given[0]) if given and isinstance(given[0], int) else 1


def _instant(resource: dict[str, Any], name: str) -> datetime:
    try:
        return datetime.fromisoformat(str(resource.get(name)))
    except ValueError as error:
        message = _("时间无法识别，应带时区。")
        raise Refused(message, fields={name: message}) from error
