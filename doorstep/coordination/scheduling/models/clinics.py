"""What is offered: schedules, their weekly templates with exceptions, rooms and machines, kinds of visit."""

import uuid
from datetime import time

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from doorstep.kernel.database.from_row import FromRow
from doorstep.people.organizations.models import Department, Organization
from doorstep.people.workforce.models import Practitioner


class PlaceQuota(models.TextChoices):
    """Whom a place is kept for."""

    OWN = "own", "本院"
    CONTRACT = "contract", "签约"
    REFERRAL = "referral", "转诊"
    COMMUNITY = "community", "社区"
    OPEN = "open", "公开"


class Facility(FromRow):
    """A room or a machine of a department that is booked by time."""

    class Kind(models.TextChoices):
        """What it is."""

        ROOM = "room", "诊室"
        MACHINE = "machine", "设备"

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="facilities")
    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="facilities", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    name = models.CharField(max_length=60)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["department", "name"], name="facility_once"),)

    def __str__(self) -> str:
        return self.name


class VisitKind(FromRow):
    """A kind of visit of a department: how long it takes, and the time before and after in which nobody else is booked."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="visit_kinds", db_index=False)
    name = models.CharField(max_length=40)
    minutes = models.SmallIntegerField()
    before_minutes = models.SmallIntegerField(default=0)
    after_minutes = models.SmallIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["department", "name"], name="visit_kind_once"),
            models.CheckConstraint(
                condition=Q(minutes__range=(5, 480), before_minutes__range=(0, 120), after_minutes__range=(0, 120)),
                name="visit_kind_minutes",
            ),
        )

    def __str__(self) -> str:
        return self.name


class Schedule(FromRow):
    """What a department offers: an expert's clinic, a department's, a room's or a machine's times (FHIR Schedule)."""

    class Service(models.TextChoices):
        """Kind of service."""

        EXPERT = "expert", "专家门诊"
        CLINIC = "clinic", "普通门诊"
        EXAM = "exam", "检查"

    class Holidays(models.TextChoices):
        """What happens on a national holiday."""

        REST = "rest", "法定节假日停诊"
        OPEN = "open", "法定节假日照常"

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    consortium_id = models.BigIntegerField(null=True)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="schedules", db_index=False)
    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="schedules", db_index=False)
    practitioner = models.ForeignKey(Practitioner, on_delete=models.PROTECT, null=True, related_name="schedules")
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, null=True, related_name="schedules")
    service = models.CharField(max_length=12, choices=Service.choices, default=Service.EXPERT)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)
    # Slots of a day are released this many days before at that hour by themselves; None: only by hand.
    release_days = models.SmallIntegerField(null=True)
    release_at = models.TimeField(default=time(7))
    released_until = models.DateField(null=True)
    holidays = models.CharField(max_length=8, choices=Holidays.choices, default=Holidays.REST)
    # Whose weekday's sessions a make-up workday follows; None: no clinic on that weekend day beyond its own sessions.
    makeup_as = models.SmallIntegerField(null=True)
    # For so many hours after their release open places go to signed residents, referrals and the old alone.
    priority_hours = models.SmallIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["department", "practitioner", "facility", "service"],
                name="schedule_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(release_days__isnull=True) | Q(release_days__range=(0, 90)), name="schedule_release_days"
            ),
            models.CheckConstraint(
                condition=Q(makeup_as__isnull=True) | Q(makeup_as__range=(0, 6)), name="schedule_makeup_weekday"
            ),
            models.CheckConstraint(condition=Q(priority_hours__range=(0, 72)), name="schedule_priority_hours"),
        )
        indexes = (models.Index(fields=["organization", "department"], name="schedule_department"),)

    @property
    def who(self) -> str:
        """The expert, the room or the machine; "" for the department as such."""
        if self.practitioner is not None:
            return self.practitioner.name
        return self.facility.name if self.facility is not None else ""


class RoomTerm(FromRow):
    """From which day on a schedule takes place in another room or on another machine; `Schedule.facility` is the one of today."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="room_terms", db_index=False)
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="+")
    since = models.DateField()
    decided_by_id = models.BigIntegerField(null=True)
    decided_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["schedule", "since"], name="room_term_once"),)


class WeeklySession(FromRow):
    """A weekly session: weekday 0 is Monday, times are China's; how many places of each slot go to whom.

    Several places of one slot are seen in parallel. `only_on` makes it an extra session of one day; `since` and `until`
    (exclusive) bound the weeks in which it holds.
    """

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="sessions", db_index=False)
    weekday = models.SmallIntegerField()
    starts = models.TimeField()
    ends = models.TimeField()
    minutes = models.SmallIntegerField(default=30)
    kind = models.ForeignKey(VisitKind, on_delete=models.PROTECT, null=True, related_name="+")
    before_minutes = models.SmallIntegerField(default=0)
    after_minutes = models.SmallIntegerField(default=0)
    only_on = models.DateField(null=True)
    since = models.DateField(null=True)
    until = models.DateField(null=True)
    own_places = models.SmallIntegerField(default=0)
    contract_places = models.SmallIntegerField(default=0)
    referral_places = models.SmallIntegerField(default=0)
    community_places = models.SmallIntegerField(default=0)
    open_places = models.SmallIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["schedule", "weekday", "starts", "only_on", "since"], name="session_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                condition=Q(before_minutes__range=(0, 120), after_minutes__range=(0, 120)), name="session_buffers"
            ),
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


class DayException(FromRow):
    """A day on which a schedule does not follow its week: no clinic, or the sessions of another weekday."""

    class Act(models.TextChoices):
        """What holds on the day instead."""

        REST = "rest", "停诊"
        FOLLOW = "follow", "按另一天出诊"

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="exceptions", db_index=False)
    day = models.DateField()
    act = models.CharField(max_length=8, choices=Act.choices)
    weekday = models.SmallIntegerField(null=True)
    reason = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["schedule", "day"], name="exception_once"),
            models.CheckConstraint(
                condition=Q(act="rest", weekday__isnull=True) | Q(act="follow", weekday__range=(0, 6)),
                name="exception_follows_a_weekday",
            ),
        )


class RestingHours(FromRow):
    """Hours of a day that a stop put to rest before its slots were laid out: no visit of the schedule begins in them."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="resting_hours", db_index=False)
    day = models.DateField()
    starts = models.TimeField()
    ends = models.TimeField()
    reason = models.CharField(max_length=200)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["schedule", "day", "starts", "ends"], name="resting_hours_once"),
            models.CheckConstraint(condition=Q(ends__gt=F("starts")), name="resting_hours_end_after_start"),
        )
