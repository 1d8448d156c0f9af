"""Slots and one row per place."""

import uuid

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.utils import timezone

from doorstep.coordination.scheduling.models.clinics import Facility, PlaceQuota, Schedule, VisitKind
from doorstep.kernel.database.from_row import FromRow
from doorstep.people.organizations.models import Organization


class TsTzRange(Func):
    """tstzrange(start, end): the time between two columns."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class Slot(FromRow):
    """A time of a schedule; two slots of one schedule never overlap (FHIR Slot)."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    consortium_id = models.BigIntegerField(null=True)
    schedule = models.ForeignKey(Schedule, on_delete=models.PROTECT, related_name="slots", db_index=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="slots", db_index=False)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    kind = models.ForeignKey(VisitKind, on_delete=models.PROTECT, null=True, related_name="+")
    # The room or machine of this time, where it is another than the schedule's of today; whoever is booked keeps it.
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    # From here on open places are for everybody; before, for those who come first by rule.
    opens_at = models.DateTimeField(default=timezone.now)
    # What the record last said of it: free or busy; written by the tick that tells the record.
    shown = models.CharField(max_length=8, blank=True, default="")
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

    @property
    def room(self) -> Facility | None:
        """The room or machine of this time; None where the schedule names none."""
        return self.facility if self.facility_id is not None else self.schedule.facility

    @property
    def who(self) -> str:
        """The expert, the room or the machine of this time; "" for the department as such."""
        if self.schedule.practitioner is None and self.facility is not None:
            return self.facility.name
        return self.schedule.who


class Place(FromRow):
    """One place of a slot: the row that a booking claims.

    It names no resident, so everybody may count places; who sits on it is in `Booking`. A hold whose `held_until` has
    passed counts as free for whoever comes next. `given_quota` and `given_organization_id` say whose it was before the release rule
    gave it on; `is_extra` that it was added over the template.
    """

    class State(models.TextChoices):
        """Whether the place can be had."""

        FREE = "free", "空闲"
        HELD = "held", "预留"
        BOOKED = "booked", "已约"
        CLOSED = "closed", "已撤"  # was added for one person, who gave it back

    slot = models.ForeignKey(Slot, on_delete=models.CASCADE, related_name="places", db_index=False)
    number = models.SmallIntegerField()
    quota = models.CharField(max_length=12, choices=PlaceQuota.choices)
    origin_organization = models.ForeignKey(Organization, on_delete=models.PROTECT, null=True, related_name="+")
    given_quota = models.CharField(max_length=12, blank=True, default="")
    given_organization_id = models.BigIntegerField(null=True)
    sunk_at = models.DateTimeField(null=True)
    is_extra = models.BooleanField(default=False)
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
        indexes = (
            models.Index(fields=["held_until"], name="place_held", condition=Q(state="held")),
            # A claim looks at nothing but what can still be had: "sold out" is an empty range.
            models.Index(fields=["slot", "number"], name="place_to_be_had", condition=Q(state__in=("free", "held"))),
        )
