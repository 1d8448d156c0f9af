"""What comes back from the hospital: the recovery plan and its follow-ups."""

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from doorstep.care.referrals import follow_up_states
from doorstep.care.referrals.models.referral import Referral
from doorstep.care.referrals.models.walls import OWN, handled_by
from doorstep.kernel.access.merging import Moves
from doorstep.kernel.database.from_row import FromRow
from doorstep.kernel.database.policies import RowAccess
from doorstep.kernel.workflow.machine import Machine
from doorstep.kernel.workflow.models import WorkItem
from doorstep.people.organizations.models import Organization
from doorstep.people.residents.models import Resident
from doorstep.people.workforce.models import Practitioner


class RecoveryPlan(FromRow):
    """The plan that goes home: 治疗经过、下一步治疗方案及康复建议 of the 回转单, in parts that can be acted on.

    `medicines`: [{"code", "name", "dose", "frequency", "days", "note"}]. `follow_up_days`: days after discharge.
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    referral = models.OneToOneField(Referral, on_delete=models.PROTECT, related_name="plan")
    resident = models.ForeignKey(Resident, on_delete=models.PROTECT, related_name="recovery_plans")
    source = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    medicines = models.JSONField(default=list)
    follow_up_days = ArrayField(models.SmallIntegerField(), default=list)
    warning_signs = models.JSONField(default=list)
    rehabilitation = models.TextField(blank=True, default="")
    diet = models.TextField(blank=True, default="")
    target_systolic = models.SmallIntegerField(null=True)
    target_diastolic = models.SmallIntegerField(null=True)
    contact_name = models.CharField(max_length=40)
    contact_phone = models.CharField(max_length=30)
    written_by = models.ForeignKey(Practitioner, on_delete=models.PROTECT, null=True, related_name="+")
    written_at = models.DateTimeField(default=timezone.now)

    row_access = RowAccess(
        using=f"access_is_system() OR {handled_by('source_id')} OR {OWN} OR EXISTS (SELECT 1 FROM referrals_referral r"
        " WHERE r.id = referral_id)",
    )
    when_merged = Moves(_("康复计划"))


class FollowUp(WorkItem):
    """One follow-up of a recovery plan, on its day, at the unit that does it."""

    class Adherence(models.TextChoices):
        """Whether the medicines are taken."""

        GOOD = "good", "规律服药"
        PARTIAL = "partial", "间断服药"
        NONE = "none", "未服药"

    machine: ClassVar[Machine] = follow_up_states.FOLLOW_UP

    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="follow_ups", db_index=False)
    resident = models.ForeignKey(Resident, on_delete=models.PROTECT, related_name="follow_ups")
    unit = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="follow_ups", db_index=False)
    patient_name = models.CharField(max_length=60)
    day = models.SmallIntegerField()
    due_on = models.DateField()
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey(Practitioner, on_delete=models.PROTECT, null=True, related_name="follow_ups_done")
    way = models.CharField(max_length=12, blank=True, default="")
    systolic = models.SmallIntegerField(null=True)
    diastolic = models.SmallIntegerField(null=True)
    pulse = models.SmallIntegerField(null=True)
    symptoms = models.JSONField(default=list)
    adherence = models.CharField(max_length=8, choices=Adherence.choices, blank=True, default="")
    adverse_reaction = models.CharField(max_length=200, blank=True, default="")
    advice = models.CharField(max_length=400, blank=True, default="")

    row_access = RowAccess(
        using=f"access_is_system() OR {handled_by('unit_id')} OR {OWN} OR EXISTS (SELECT 1 FROM referrals_referral r"
        " WHERE r.id = referral_id)",
    )
    when_merged = Moves(_("随访"))

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=~models.Q(state__in=("done", "escalated")) | models.Q(done_at__isnull=False),
                name="follow_up_done_at_a_time",
            ),
            models.UniqueConstraint(fields=["referral", "day"], name="follow_up_once_per_day"),
        )
        indexes = (
            models.Index(fields=["unit", "state", "due_on"], name="follow_up_unit"),
            models.Index(fields=["state", "due_on"], name="follow_up_due"),
        )

    def sides(self) -> dict[str, int | None]:
        """The unit that does it."""
        return {"unit": self.unit_id}
