"""Bookings, tickets of the queue, the waiting list, and what is left to rebook when a clinic stopped."""

import uuid
from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from doorstep.coordination.scheduling.models.clinics import PlaceQuota, Schedule
from doorstep.coordination.scheduling.models.places import Place, Slot
from doorstep.coordination.scheduling.states import BOOKING, EXPECTED, REBOOKING, TAKEN, WAITING, WAITING_LIVE
from doorstep.kernel.access.merging import Moves
from doorstep.kernel.database.from_row import FromRow
from doorstep.kernel.database.policies import RowAccess
from doorstep.kernel.workflow.machine import Machine
from doorstep.kernel.workflow.models import WorkItem
from doorstep.people.organizations.models import Department, Organization
from doorstep.people.residents.models import Resident


class Channel(models.TextChoices):
    """By which way somebody came to the one pool of places."""

    DOCTOR = "doctor", "基层医生"
    REFERRAL = "referral", "转诊"
    SELF = "self", "居民手机"
    DESK = "desk", "门诊窗口"
    PHONE = "phone", "电话"
    KIOSK = "kiosk", "自助机"
    WAITING = "waiting", "候补"
    SYSTEM = "system", "系统接口"


class Booking(WorkItem):
    """A place booked for a resident (FHIR Appointment).

    `organization` is the clinic's, `source_organization` the one that booked; `reference` names what it is for
    ("referral/<key>"); `hold_key` is the hold it grew from, so that a resend finds it. The resident's key is kept here
    because a clinic may call off a booking of somebody whom it does not see.
    """

    machine: ClassVar[Machine] = BOOKING

    place = models.ForeignKey(Place, on_delete=models.PROTECT, related_name="bookings")
    slot = models.ForeignKey(Slot, on_delete=models.PROTECT, related_name="bookings", db_index=False)
    resident = models.ForeignKey(Resident, on_delete=models.PROTECT, related_name="bookings", db_index=False)
    resident_key = models.UUIDField()
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="bookings", db_index=False)
    source_organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="made_bookings")
    quota = models.CharField(max_length=12, choices=PlaceQuota.choices)
    period = DateTimeRangeField()
    reference = models.CharField(max_length=80, blank=True, default="")
    hold_key = models.UUIDField(unique=True)
    booked_by_id = models.BigIntegerField(null=True)
    channel = models.CharField(max_length=12, choices=Channel.choices, default=Channel.DOCTOR)
    # What the rule of precedence knew of the resident on that day: referral, signed, elder.
    groups = ArrayField(models.CharField(max_length=12), default=list)
    # Since when the resident wanted it: the entry into the waiting list, else the booking itself.
    wanted_since = models.DateTimeField(default=timezone.now)
    changed_from = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="changed_to")
    # The same by its key, for the record: whoever reads this booking need not see the one that it replaced.
    replaces_key = models.UUIDField(null=True)
    extra_reason = models.CharField(max_length=200, blank=True, default="")
    # Why it was given back or called off, for both sides and the record.
    end_reason = models.CharField(max_length=200, blank=True, default="", db_default="")
    # Department and half day in which nobody is seen twice (halfdays); "" where a second visit is meant.
    half_day = models.CharField(max_length=40, blank=True, default="", db_default="")

    row_access = RowAccess(
        using="access_is_system() OR organization_id = ANY ((SELECT access_record_reach())::bigint[])"
        " OR source_organization_id = ANY ((SELECT access_record_reach())::bigint[])"
        " OR resident_id = ANY ((SELECT access_self())::bigint[])",
    )
    when_merged = Moves(
        _("预约"),
        also={"resident_key": "key"},
        clash=_("两份档案有时间重叠或同一半天同一科室的预约，请先取消其中一个预约。"),
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["place"], condition=Q(state__in=TAKEN), name="booking_place_once"),
            ExclusionConstraint(
                name="booking_resident_one_at_a_time",
                expressions=[("resident", RangeOperators.EQUAL), ("period", RangeOperators.OVERLAPS)],
                condition=Q(state__in=EXPECTED),
            ),
            models.UniqueConstraint(
                fields=["resident", "half_day"],
                condition=Q(state__in=EXPECTED) & ~Q(half_day=""),
                name="booking_half_day_once",
            ),
        )
        indexes = (
            models.Index(fields=["organization", "state_since"], name="booking_organization"),
            models.Index(fields=["resident", "-created_at"], name="booking_resident"),
            models.Index(fields=["reference"], name="booking_reference", condition=~Q(reference="")),
            models.Index(fields=["slot"], name="booking_slot"),
            models.Index(fields=["state_since"], name="booking_since"),
        )

    def sides(self) -> dict[str, int | None]:
        """The clinic is the target, who booked is the source."""
        return {"source": self.source_organization_id, "target": self.organization_id}


_SIDES_OR_SELF = (
    "access_is_system() OR organization_id = ANY ((SELECT access_record_reach())::bigint[])"
    " OR source_organization_id = ANY ((SELECT access_record_reach())::bigint[])"
    " OR resident_id = ANY ((SELECT access_self())::bigint[])"
)


class WaitingEntry(WorkItem):
    """Somebody who waits for a place in a department, or with one of its schedules, between two days.

    `points` and `groups` are what the rule of precedence decided on joining; who has more comes first, then who came earlier.
    While an offer stands, `hold_key` is the place that is kept and `offered_until` how long.
    """

    machine: ClassVar[Machine] = WAITING

    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="waiting")
    schedule = models.ForeignKey(Schedule, on_delete=models.PROTECT, null=True, related_name="waiting")
    resident = models.ForeignKey(Resident, on_delete=models.PROTECT, related_name="waiting", db_index=False)
    resident_key = models.UUIDField()
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="waiting")
    source_organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="sent_waiting")
    origin = models.CharField(max_length=12, choices=PlaceQuota.choices)
    channel = models.CharField(max_length=12, choices=Channel.choices)
    first_day = models.DateField()
    last_day = models.DateField()
    points = models.SmallIntegerField(default=0)
    groups = ArrayField(models.CharField(max_length=12), default=list)
    reference = models.CharField(max_length=80, blank=True, default="")
    hold_key = models.UUIDField(null=True, unique=True)
    offered_slot = models.ForeignKey(Slot, on_delete=models.PROTECT, null=True, related_name="+")
    offered_until = models.DateTimeField(null=True)
    missed_offers = models.SmallIntegerField(default=0)
    # Half days (halfdays.named) whose offer was passed by or not answered: no place of them is offered again.
    declined = ArrayField(models.CharField(max_length=40), default=list, db_default=[])
    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, null=True, related_name="+")
    # How often somebody telephoned about it and reached nobody, and when last.
    calls_missed = models.SmallIntegerField(default=0)
    called_at = models.DateTimeField(null=True)

    row_access = RowAccess(using=_SIDES_OR_SELF)
    when_merged = Moves(
        _("候补"),
        also={"resident_key": "key"},
        clash=_("两份档案在同一科室候补，请先退出其中一个候补。"),
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["resident", "department", "schedule"],
                condition=Q(state__in=WAITING_LIVE),
                name="waiting_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=(Q(state="offered") & Q(hold_key__isnull=False, offered_until__isnull=False))
                | (~Q(state="offered") & Q(hold_key__isnull=True, offered_until__isnull=True)),
                name="waiting_offered_with_its_place",
            ),
        )
        indexes = (
            models.Index(
                fields=["department", "-points", "created_at"], name="waiting_order", condition=Q(state="waiting")
            ),
            models.Index(fields=["offered_until"], name="waiting_offers", condition=Q(state="offered")),
            models.Index(fields=["resident"], name="waiting_resident"),
        )

    def sides(self) -> dict[str, int | None]:
        """The clinic is the target, who put the resident on the list is the source."""
        return {"source": self.source_organization_id, "target": self.organization_id}


class Rebooking(WorkItem):
    """What is left to do for somebody whose booking a stopped clinic called off: a new time, or a reason why none."""

    machine: ClassVar[Machine] = REBOOKING

    booking = models.OneToOneField(Booking, on_delete=models.PROTECT, related_name="rebooking")
    new_booking = models.ForeignKey(Booking, on_delete=models.PROTECT, null=True, related_name="+")
    resident = models.ForeignKey(Resident, on_delete=models.PROTECT, related_name="rebookings")
    resident_key = models.UUIDField()
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="rebookings")
    source_organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="sent_rebookings", db_index=False
    )
    # How often somebody telephoned about it and reached nobody, and when last.
    calls_missed = models.SmallIntegerField(default=0)
    called_at = models.DateTimeField(null=True)

    row_access = RowAccess(using=_SIDES_OR_SELF)
    when_merged = Moves(_("停诊改约"), also={"resident_key": "key"})

    class Meta:
        indexes = (models.Index(fields=["source_organization", "state"], name="rebooking_source"),)

    def sides(self) -> dict[str, int | None]:
        """Who booked looks for a new time; the clinic is the target."""
        return {"source": self.source_organization_id, "target": self.organization_id}


class Ticket(FromRow):
    """A number in the queue of a schedule's day, given on check-in; it names the person only as a screen may show it."""

    class State(models.TextChoices):
        """Where the ticket is."""

        WAITING = "waiting", "候诊"
        CALLED = "called", "已叫号"
        PASSED = "passed", "过号"
        DONE = "done", "已就诊"
        VOID = "void", "号已作废"  # the check-in was taken back, or the person left unseen

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    booking = models.OneToOneField(Booking, on_delete=models.PROTECT, related_name="ticket")
    resident_id = models.BigIntegerField()
    schedule = models.ForeignKey(Schedule, on_delete=models.PROTECT, related_name="tickets", db_index=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    day = models.DateField()
    number = models.SmallIntegerField()
    shown_name = models.CharField(max_length=20)
    starts_at = models.DateTimeField()
    points = models.SmallIntegerField(default=0)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    taken_at = models.DateTimeField(default=timezone.now)
    called_at = models.DateTimeField(null=True)
    calls = models.SmallIntegerField(default=0)
    place_name = models.CharField(max_length=40, blank=True, default="")
    # Of whoever lined up again, after being passed over or too late: how many others are called first. None: by the time booked.
    turn_in = models.SmallIntegerField(null=True)

    row_access = RowAccess(
        using="access_is_system() OR organization_id = ANY ((SELECT access_reach())::bigint[])"
        " OR resident_id = ANY ((SELECT access_self())::bigint[])",
    )
    when_merged = Moves(_("候诊号"))

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["schedule", "day", "number"], name="ticket_number_once"),
            models.CheckConstraint(
                condition=Q(state__in=("waiting", "void")) | Q(called_at__isnull=False), name="ticket_called_with_time"
            ),
            models.CheckConstraint(condition=Q(turn_in__isnull=True) | Q(turn_in__gte=0), name="ticket_turn_in"),
        )
        indexes = (models.Index(fields=["organization", "day", "state"], name="ticket_day"),)
