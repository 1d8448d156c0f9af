"""Organisations, departments, consortia and dated membership."""

import uuid

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeOperators
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now

from doorstep.kernel.database.from_row import FromRow


class Organization(FromRow):
    """A unit of care or of government: hospital, township centre, village clinic, shared centre, ambulance station.

    `path` holds the ids of its ancestors and its own, so that everything below a unit is one indexed look-up.
    `class_code` follows WS 218-2002, `credit_code` GB 32100-2015; `level` is the hospital grade as printed (三级甲等).
    """

    class Kind(models.TextChoices):
        """What the unit is for."""

        AUTHORITY = "authority", "卫生健康主管部门"
        HOSPITAL = "hospital", "医院"
        TOWNSHIP_CENTER = "township-center", "乡镇卫生院"
        COMMUNITY_CENTER = "community-center", "社区卫生服务中心"
        VILLAGE_CLINIC = "village-clinic", "村卫生室"
        SHARED_CENTER = "shared-center", "共享诊断中心"
        EMERGENCY = "emergency", "急救中心（站）"
        CARE_HOME = "care-home", "养老机构"

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    code = models.CharField(max_length=30, unique=True)
    name = models.CharField(max_length=120)
    name_en = models.CharField(max_length=160, blank=True, default="")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    class_code = models.CharField(max_length=8, blank=True, default="")
    level = models.CharField(max_length=20, blank=True, default="")
    tier = models.SmallIntegerField(default=1)  # 1 primary, 2 secondary, 3 tertiary; 0 none
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="children")
    path = ArrayField(models.BigIntegerField(), default=list)
    credit_code = models.CharField(max_length=18, blank=True, default="")
    division_code = models.CharField(max_length=12, blank=True, default="")
    address = models.CharField(max_length=200, blank=True, default="")
    phone = models.CharField(max_length=30, blank=True, default="")
    latitude = models.DecimalField(max_digits=9, decimal_places=6, null=True)
    longitude = models.DecimalField(max_digits=9, decimal_places=6, null=True)
    opened_on = models.DateField(null=True)
    closed_on = models.DateField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(closed_on__isnull=True)
                | models.Q(opened_on__isnull=True)
                | models.Q(closed_on__gt=models.F("opened_on")),
                name="organization_closes_after_opening",
            ),
        )
        indexes = (GinIndex(fields=["path"], name="organization_path"),)

    def __str__(self) -> str:
        return self.name


class Department(FromRow):
    """A department of an organisation."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="departments", db_index=False)
    code = models.CharField(max_length=30)
    name = models.CharField(max_length=80)
    name_en = models.CharField(max_length=120, blank=True, default="")
    closed_on = models.DateField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["organization", "code"], name="department_once"),)

    def __str__(self) -> str:
        return self.name


class Consortium(FromRow):
    """A tight-knit consortium (紧密型医联体): one lead, many members."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    code = models.CharField(max_length=30, unique=True)
    name = models.CharField(max_length=120)
    name_en = models.CharField(max_length=160, blank=True, default="")
    kind = models.CharField(max_length=20, default="county")

    def __str__(self) -> str:
        return self.name


class Membership(FromRow):
    """From when to when an organisation belonged to a consortium, and as what; any past day can be asked."""

    class Part(models.TextChoices):
        """The part a member has."""

        LEAD = "lead", "牵头医院"
        MEMBER = "member", "成员单位"

    consortium = models.ForeignKey(Consortium, on_delete=models.PROTECT, related_name="memberships")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="memberships")
    part = models.CharField(max_length=8, choices=Part.choices, default=Part.MEMBER)
    period = DateRangeField()

    class Meta:
        constraints = (
            ExclusionConstraint(
                name="membership_one_at_a_time",
                expressions=[("organization", RangeOperators.EQUAL), ("period", RangeOperators.OVERLAPS)],
            ),
        )


class Change(FromRow):
    """One line of a unit's history: what became of it, which facts changed from what to what, why, and by whom."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="changes", db_index=False)
    at = models.DateTimeField(db_default=Now())
    what = models.CharField(max_length=40)  # the name of the event
    changed = models.JSONField(default=dict)
    reason = models.CharField(max_length=200, blank=True, default="")
    by_name = models.CharField(max_length=80, blank=True, default="")

    append_only = True

    class Meta:
        indexes = (models.Index(fields=["organization", "-at"], name="organization_history"),)
