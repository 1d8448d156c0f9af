"""Wards, one row per bed, stays, and the waiting list."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from doorstep.coordination.beds.states import BED, BED_REQUEST
from doorstep.kernel.access.merging import Moves
from doorstep.kernel.database.from_row import FromRow
from doorstep.kernel.database.policies import RowAccess
from doorstep.kernel.workflow.machine import Machine
from doorstep.kernel.workflow.models import WorkItem
from doorstep.people.organizations.models import Department, Organization
from doorstep.people.residents.models import Resident
from doorstep.people.workforce.models import Practitioner

_MINE = "organization_id = ANY ((SELECT access_record_reach())::bigint[])"
_OWN = "resident_id = ANY ((SELECT access_self())::bigint[])"


class Ward(FromRow):
    """A ward of an organisation; a care home's floor is one as well."""

    class Kind(models.TextChoices):
        """What its beds are for."""

        GENERAL = "general", "普通病区"
        INTENSIVE = "intensive", "重症监护"
        REHABILITATION = "rehab", "康复病区"
        MATERNITY = "maternity", "产科"
        NEWBORN = "newborn", "新生儿"
        CARE = "care", "照护床位"

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="wards", db_index=False)
    department = models.ForeignKey(Department, on_delete=models.PROTECT, null=True, related_name="wards")
    name = models.CharField(max_length=60)
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.GENERAL)
    phone = models.CharField(max_length=30, blank=True, default="")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["organization", "name"], name="ward_once"),)

    def __str__(self) -> str:
        return self.name


class Bed(WorkItem):
    """One bed. It names no resident, so that every unit may count what is free; who lies in it stands in `Stay`.

    `held_for` names the thing it is kept for ("referral/<key>"), `held_until` when that ends.
    """

    machine: ClassVar[Machine] = BED

    ward = models.ForeignKey(Ward, on_delete=models.PROTECT, related_name="beds", db_index=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="beds", db_index=False)
    number = models.CharField(max_length=12)
    held_for = models.CharField(max_length=80, blank=True, default="")
    held_until = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["ward", "number"], name="bed_once"),
            models.UniqueConstraint(fields=["held_for"], condition=~Q(held_for=""), name="bed_one_held_per_reference"),
            models.CheckConstraint(
                condition=(Q(state="held") & ~Q(held_for="") & Q(held_until__isnull=False))
                | (~Q(state="held") & Q(held_for="", held_until__isnull=True)),
                name="bed_held_with_its_end",
            ),
        )
        indexes = (
            models.Index(fields=["organization", "state"], name="bed_organization"),
            models.Index(fields=["held_until"], name="bed_held", condition=Q(state="held")),
        )

    def sides(self) -> dict[str, int | None]:
        """The house it stands in."""
        return {"unit": self.organization_id}


class Stay(FromRow):
    """A resident in a bed, from admission to leaving; `rounds` is what the ward's doctor last said of the patient.

    `rounds`: facts of the criteria of going home ({"complications_stable": true, "no_fever_days": 3, …}), said on `round_on`;
    `medicines` are the lines of the present treatment ({"code", "name", "dose", "frequency", "days"}).
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    consortium_id = models.BigIntegerField(null=True)
    bed = models.ForeignKey(Bed, on_delete=models.PROTECT, related_name="stays")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="stays", db_index=False)
    resident = models.ForeignKey(Resident, on_delete=models.PROTECT, related_name="stays")
    resident_key = models.UUIDField()
    patient_name = models.CharField(max_length=60)
    attending = models.ForeignKey(Practitioner, on_delete=models.PROTECT, null=True, related_name="stays")
    reference = models.CharField(max_length=80, blank=True, default="")
    diagnosis = models.CharField(max_length=200, blank=True, default="")
    diagnosis_code = models.CharField(max_length=16, blank=True, default="")
    admitted_at = models.DateTimeField(default=timezone.now)
    predicted_on = models.DateField(null=True)
    rounds = models.JSONField(default=dict)
    round_on = models.DateField(null=True)
    medicines = models.JSONField(default=list)
    left_at = models.DateTimeField(null=True)

    row_access = RowAccess(using=f"access_is_system() OR {_MINE} OR {_OWN}")
    when_merged = Moves(
        _("住院床位"),
        also={"resident_key": "key"},
        clash=_("两份档案的居民各占一张床位，请先为其中一份办理腾床。"),
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["bed"], condition=Q(left_at__isnull=True), name="stay_one_per_bed"),
            models.UniqueConstraint(
                fields=["resident"], condition=Q(left_at__isnull=True), name="stay_one_per_resident"
            ),
            models.CheckConstraint(
                condition=Q(left_at__isnull=True) | Q(left_at__gte=models.F("admitted_at")),
                name="stay_ends_after_it_began",
            ),
        )
        indexes = (
            models.Index(fields=["organization", "-admitted_at"], name="stay_organization"),
            models.Index(fields=["reference"], name="stay_reference", condition=~Q(reference="")),
        )


class BedRequest(WorkItem):
    """A resident on the waiting list of a house: by priority, then by how long."""

    machine: ClassVar[Machine] = BED_REQUEST

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="bed_requests", db_index=False
    )
    department = models.ForeignKey(Department, on_delete=models.PROTECT, null=True, related_name="+")
    resident = models.ForeignKey(Resident, on_delete=models.PROTECT, related_name="bed_requests")
    patient_name = models.CharField(max_length=60)
    reference = models.CharField(max_length=80)
    priority = models.SmallIntegerField(default=0)  # 0 ordinary, 1 urgent, 2 green, 3 life at stake
    kind = models.CharField(max_length=12, choices=Ward.Kind.choices, default=Ward.Kind.GENERAL)

    row_access = RowAccess(using=f"access_is_system() OR {_MINE} OR {_OWN}")
    when_merged = Moves(_("候床"))

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["reference"], condition=Q(state="waiting"), name="bed_request_once"),
        )
        indexes = (models.Index(fields=["organization", "state", "-priority", "created_at"], name="bed_request_list"),)

    def sides(self) -> dict[str, int | None]:
        """The house that looks for a bed."""
        return {"unit": self.organization_id}

    def urgency(self) -> int:
        """Its priority."""
        return self.priority

    @property
    def episode(self) -> str:
        """It belongs to what it waits for."""
        return self.reference
