"""Schedules, their weekly templates, slots, one row per place, and bookings."""

import uuid
from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from doorstep.coordination.scheduling.states import BOOKING, EXPECTED, TAKEN
from doorstep.kernel.access.merging import Moves
from doorstep.kernel.database.policies import RowAccess
from doorstep.kernel.workflow.machine import Machine
from doorstep.kernel.workflow.models import WorkItem
from doorstep.people.organizations.models import Department, Organization
from doorstep.people.residents.models import Resident
from doorstep.people.workforce.models import Practitioner


class TsTzRange(Func):
    """tstzrange(start, end): the time between two columns."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class PlaceQuota(models.TextChoices):
    """Whom a place is kept for."""

    OWN = "own", "本院"
    CONTRACT = "contract", "签约"
    REFERRAL = "referral", "转诊"
    COMMUNITY = "community", "社区"
    OPEN = "open", "公开"


class Schedule(models.Model):
    """What a department offers: an expert's clinic, a department's clinic, or an examination (FHIR Schedule)."""

    class Service(models.TextChoices):
        """Kind of service."""

        EXPERT = "expert", "专家门诊"
        CLINIC = "clinic", "普通门诊"
        EXAM = "exam", "检查"

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    consortium_id = models.BigIntegerField(null=True)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="schedules")
    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="schedules")
    practitioner = models.ForeignKey(Practitioner, on_delete=models.PROTECT, null=True, related_name="schedules")
    service = models.CharField(max_length=12, choices=Service.choices, default=Service.EXPERT)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["department", "practitioner", "service"], name="schedule_once", nulls_distinct=False
            ),
        )
        indexes = (models.Index(fields=["organization", "department"], name="schedule_department"),)


class WeeklySession(models.Model):
    """A weekly session: weekday 0 is Monday, times are China's; how many places of each slot go to whom."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="sessions")
    weekday = models.SmallIntegerField()
    starts = models.TimeField()
    ends = models.TimeField()
    minutes = models.SmallIntegerField(default=30)
    own_places = models.SmallIntegerField(default=0)
    contract_places = models.SmallIntegerField(default=0)
    referral_places = models.SmallIntegerField(default=0)
    community_places = models.SmallIntegerField(default=0)
    open_places = models.SmallIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["schedule", "weekday", "starts"], name="session_once"),
            models.CheckConstraint(condition=Q(ends__gt=F("starts")), name="session_ends_after_start"),
            models.CheckConstraint(condition=Q(weekday__range=(0, 6)), name="session_weekday"),
            models.CheckConstraint(condition=Q(minutes__range=(5, 480)), name="session_minutes"),
            models.CheckConstraint(
                condition=Q(own_places__gte=0, contract_places__gte=0, referral_places__gte=0)
                & Q(community_places__gte=0, open_places__gte=0),
                name="session_places_not_negative",
            ),
        )

    def places(self) -> dict[str, int]:
        """How many places of each slot go to each quota."""
        return {quota.value: int(getattr(self, f"{quota.value}_places")) for quota in PlaceQuota}


class Slot(models.Model):
    """A time of a schedule; two slots of one schedule never overlap (FHIR Slot)."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    consortium_id = models.BigIntegerField(null=True)
    schedule = models.ForeignKey(Schedule, on_delete=models.PROTECT, related_name="slots")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="slots")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True)
    stop_reason = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="slot_ends_after_start"),
            models.CheckConstraint(
                condition=Q(stopped_at__isnull=True, stop_reason="")
                | (Q(stopped_at__isnull=False) & ~Q(stop_reason="")),
                name="slot_stopped_with_reason",
            ),
            ExclusionConstraint(
                name="slot_one_at_a_time",
                expressions=[
                    ("schedule", RangeOperators.EQUAL),
                    (TsTzRange("starts_at", "ends_at", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
            ),
        )
        indexes = (
            models.Index(fields=["organization", "starts_at"], name="slot_organization"),
            models.Index(fields=["schedule", "starts_at"], name="slot_schedule"),
        )


class Place(models.Model):
    """One place of a slot: the row that a booking claims.

    It names no resident, so everybody may count places; who sits on it is in `Booking`. A hold whose `held_until` has
    passed counts as free for whoever comes next.
    """

    class State(models.TextChoices):
        """Whether the place can be had."""

        FREE = "free", "空闲"
        HELD = "held", "预留"
        BOOKED = "booked", "已约"

    slot = models.ForeignKey(Slot, on_delete=models.CASCADE, related_name="places")
    number = models.SmallIntegerField()
    quota = models.CharField(max_length=12, choices=PlaceQuota.choices)
    origin_organization = models.ForeignKey(Organization, on_delete=models.PROTECT, null=True, related_name="+")
    state = models.CharField(max_length=8, choices=State.choices, default=State.FREE)
    hold_key = models.UUIDField(null=True, unique=True)
    held_until = models.DateTimeField(null=True)
    held_by_id = models.BigIntegerField(null=True)
    held_organization_id = models.BigIntegerField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["slot", "number"], name="place_once"),
            models.CheckConstraint(
                condition=(Q(state="held") & Q(hold_key__isnull=False, held_until__isnull=False))
                | (~Q(state="held") & Q(hold_key__isnull=True, held_until__isnull=True)),
                name="place_held_with_its_hold",
            ),
        )
        indexes = (models.Index(fields=["held_until"], name="place_held", condition=Q(state="held")),)


class Booking(WorkItem):
    """A place booked for a resident (FHIR Appointment).

    `organization` is the clinic's, `source_organization` the one that booked; `reference` names what it is for
    ("referral/<key>"); `hold_key` is the hold it grew from, so that a resend finds it. The resident's key is kept here
    because a clinic may call off a booking of somebody whom it does not see.
    """

    machine: ClassVar[Machine] = BOOKING

    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="bookings")
    slot = models.ForeignKey(Slot, on_delete=models.PROTECT, related_name="bookings")
    resident = models.ForeignKey(Resident, on_delete=models.PROTECT, related_name="bookings")
    resident_key = models.UUIDField()
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="bookings")
    source_organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="made_bookings")
    quota = models.CharField(max_length=12, choices=PlaceQuota.choices)
    period = DateTimeRangeField()
    reference = models.CharField(max_length=80, blank=True, default="")
    hold_key = models.UUIDField(unique=True)
    booked_by_id = models.BigIntegerField(null=True)

    row_access = RowAccess(
        using="access_is_system() OR organization_id = ANY ((SELECT access_record_reach())::bigint[])"
        " OR source_organization_id = ANY ((SELECT access_record_reach())::bigint[])"
        " OR resident_id = ANY ((SELECT access_self())::bigint[])",
    )
    when_merged = Moves(
        _("预约"),
        also={"resident_key": "key"},
        clash=_("两份档案有时间重叠的预约，请先取消其中一个预约。"),
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["place"], condition=Q(state__in=TAKEN), name="booking_place_once"),
            ExclusionConstraint(
                name="booking_resident_one_at_a_time",
                expressions=[("resident", RangeOperators.EQUAL), ("period", RangeOperators.OVERLAPS)],
                condition=Q(state__in=EXPECTED),
            ),
        )
        indexes = (
            models.Index(fields=["organization", "state_since"], name="booking_organization"),
            models.Index(fields=["resident", "-created_at"], name="booking_resident"),
            models.Index(fields=["reference"], name="booking_reference", condition=~Q(reference="")),
            models.Index(fields=["slot"], name="booking_slot"),
        )

    def sides(self) -> dict[str, int | None]:
        """The clinic is the target, who booked is the source."""
        return {"source": self.source_organization_id, "target": self.organization_id}
