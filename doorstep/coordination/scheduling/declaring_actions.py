"""Clinics and times that a hospital's own system declares: they become schedules and slots of the one pool."""

from collections.abc import Mapping
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.coordination.scheduling import showing
from doorstep.coordination.scheduling.clinic_actions import check_manages
from doorstep.coordination.scheduling.models import Place, Schedule, Slot
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Conflict, Refused
from doorstep.kernel.audit import actions as audit

# More in one slot is a slip of the pen; platform default.
MOST_PLACES = 200


@transaction.atomic
def declare_slot(
    *, schedule: Schedule, starts_at: datetime, ends_at: datetime, places: Mapping[str, int], actor: Actor
) -> Slot:
    """Open a time of a schedule with so many places for each quota, and tell the record.

    Raises Refused for a time that is over or turned round or without places, Conflict when it meets another of the schedule.
    """
    check_manages(actor, schedule.organization_id)
    count = sum(places.values())
    if not timezone.now() < starts_at < ends_at:
        message = _("时段须在将来，且结束晚于开始。")
        raise Refused(message, fields={"start": message})
    if not 1 <= count <= MOST_PLACES:
        message = _("每个时段的号数应为 1 到 %(most)s。") % {"most": MOST_PLACES}
        raise Refused(message, fields={"extension": message})
    try:
        with transaction.atomic():
            slot = Slot.objects.create(
                schedule=schedule,
                organization_id=schedule.organization_id,
                consortium_id=schedule.consortium_id,
                starts_at=starts_at,
                ends_at=ends_at,
            )
    except IntegrityError as error:
        message = _("与这个排班已有的时段重叠。")
        raise Conflict(message, fields={"start": message}) from error
    quotas = [quota for quota, number in places.items() for _place in range(number)]
    Place.objects.bulk_create(
        Place(slot=slot, number=number, quota=quota, given_quota=quota) for number, quota in enumerate(quotas, start=1)
    )
    audit.record(action="slot.declare", actor=actor, subject=f"slot/{slot.key}", details={"places": dict(places)})
    showing.show(slot_ids=[slot.pk], with_schedule=True, actor=actor)
    return slot


def show_schedule(*, schedule: Schedule, actor: Actor) -> None:
    """Tell the record of a schedule that has no slot yet."""
    check_manages(actor, schedule.organization_id)
    showing.show_schedule(schedule=schedule, actor=actor)
