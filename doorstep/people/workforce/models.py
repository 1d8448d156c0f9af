"""Practitioners, their dated posts, and family-doctor teams."""

import uuid

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models

from doorstep.kernel.access.encryption import SealedTextField
from doorstep.kernel.database.from_row import FromRow
from doorstep.people.organizations.models import Department, Organization


class Practitioner(FromRow):
    """Somebody who works in the consortium, once, however many posts they hold.

    `licence_number` is the 15-digit practising certificate (医师执业证书编码); `title` as printed (主任医师).
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="practitioner"
    )
    name = models.CharField(max_length=40)
    name_pinyin = models.CharField(max_length=80, blank=True, default="")
    gender = models.CharField(max_length=8)
    birth_date = models.DateField(null=True)
    national_id = SealedTextField(default="")
    national_id_index = models.UUIDField(null=True, unique=True)
    phone = SealedTextField(default="")
    licence_number = models.CharField(max_length=15, blank=True, default="")
    licence_scope = models.CharField(max_length=40, blank=True, default="")
    title = models.CharField(max_length=20, blank=True, default="")
    specialty = models.CharField(max_length=40, blank=True, default="")
    is_expert = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.name


class Post(FromRow):
    """One post: a role at an organisation (and department) from a day to a day. What one may do follows from it."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    practitioner = models.ForeignKey(Practitioner, on_delete=models.PROTECT, related_name="posts")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="posts", db_index=False)
    department = models.ForeignKey(Department, on_delete=models.PROTECT, null=True, related_name="posts")
    role = models.CharField(max_length=32)
    period = DateRangeField()

    class Meta:
        constraints = (
            ExclusionConstraint(
                name="post_once_at_a_time",
                expressions=[
                    ("practitioner", RangeOperators.EQUAL),
                    ("organization", RangeOperators.EQUAL),
                    ("role", RangeOperators.EQUAL),
                    ("period", RangeOperators.OVERLAPS),
                ],
            ),
        )
        indexes = (models.Index(fields=["organization", "role"], name="post_organization_role"),)


class Team(FromRow):
    """A family-doctor team (3+1+N) of a township or community centre."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="teams")
    name = models.CharField(max_length=80)
    leader = models.ForeignKey(Practitioner, on_delete=models.PROTECT, related_name="led_teams")
    villages = models.ManyToManyField(Organization, related_name="serving_teams")

    def __str__(self) -> str:
        return self.name


class TeamMember(FromRow):
    """Somebody's part in a team from a day to a day."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="members")
    practitioner = models.ForeignKey(Practitioner, on_delete=models.PROTECT, related_name="team_memberships")
    part = models.CharField(max_length=24)
    period = DateRangeField()
