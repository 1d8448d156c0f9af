"""A referral with everything of its form, the recovery plan that comes back, and the follow-ups."""

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from doorstep.care.referrals import follow_up_states, states
from doorstep.coordination.scheduling.models import Booking
from doorstep.kernel.access.merging import Moves
from doorstep.kernel.database.policies import RowAccess
from doorstep.kernel.workflow.machine import Machine
from doorstep.kernel.workflow.models import WorkItem
from doorstep.people.organizations.models import Department, Organization
from doorstep.people.residents.models import Resident
from doorstep.people.workforce.models import Practitioner

_SELF = "resident_id = ANY ((SELECT access_self())::bigint[])"


def _mine(column: str) -> str:
    return f"{column} = ANY ((SELECT access_record_reach())::bigint[])"


class Referral(WorkItem):
    """One referral, up and back again.

    Columns follow the national forms 双向转诊（转出）单 and 双向转诊（回转）单 of 国家基本公共卫生服务规范（第三版）.
    Name, gender and birth date are as they stood on the form: a unit whose sight has ended still knows whom its own
    work was about.
    """

    class Kind(models.TextChoices):
        """How fast."""

        ORDINARY = "ordinary", "普通"
        URGENT = "urgent", "急诊"
        GREEN = "green", "绿色通道"

    class DeclineReason(models.TextChoices):
        """Why a target does not take a patient."""

        NO_BED = "no-bed", "暂无床位或号源"
        OUT_OF_SCOPE = "out-of-scope", "超出本院诊疗范围"
        CRITERIA_NOT_MET = "criteria-not-met", "未达上转指征，可在基层处理"
        NEEDS_HIGHER = "needs-higher", "建议直接转上级医院"
        DUPLICATE = "duplicate", "重复转诊"
        OTHER = "other", "其他"

    class Arrival(models.TextChoices):
        """How the patient's identity was checked at arrival."""

        QR = "qr", "扫码"
        NATIONAL_ID = "national-id", "身份证"

    machine: ClassVar[Machine] = states.REFERRAL

    resident = models.ForeignKey(Resident, on_delete=models.PROTECT, related_name="referrals")
    resident_key = models.UUIDField()
    patient_name = models.CharField(max_length=60)
    patient_gender = models.CharField(max_length=8)
    patient_birth_date = models.DateField()
    direction = models.CharField(max_length=4, default="up")
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.ORDINARY)
    critical = models.BooleanField(default=False)
    source = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="referrals_out")
    target = models.ForeignKey(Organization, on_delete=models.PROTECT, null=True, related_name="referrals_in")
    department = models.ForeignKey(Department, on_delete=models.PROTECT, null=True, related_name="referrals")
    receiver = models.ForeignKey(Organization, on_delete=models.PROTECT, null=True, related_name="referrals_back")
    redirected_from = models.ForeignKey(Organization, on_delete=models.PROTECT, null=True, related_name="+")
    redirects = models.SmallIntegerField(default=0)
    referrer = models.ForeignKey(Practitioner, on_delete=models.PROTECT, related_name="referrals_made")
    referrer_phone = models.CharField(max_length=30, blank=True, default="")
    reviewer = models.ForeignKey(Practitioner, on_delete=models.PROTECT, null=True, related_name="referrals_reviewed")

    impression_code = models.CharField(max_length=16, blank=True, default="")
    impression = models.CharField(max_length=200, blank=True, default="")
    present_illness = models.TextField(blank=True, default="")
    history = models.TextField(blank=True, default="")
    treatment = models.TextField(blank=True, default="")
    symptoms = models.JSONField(null=True)
    origin = models.CharField(max_length=80, blank=True, default="")
    origin_reference = models.CharField(max_length=120, blank=True, default="")
    packet = models.JSONField(default=list)
    criteria = models.JSONField(default=list)
    benefits = models.JSONField(default=list)

    hold_key = models.UUIDField(null=True)
    held_until = models.DateTimeField(null=True)
    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, null=True, related_name="referrals")
    appointment_text = models.CharField(max_length=160, blank=True, default="")
    bed_requested = models.BooleanField(default=False)
    instructions = models.CharField(max_length=400, blank=True, default="")

    consent_signer = models.CharField(max_length=60, blank=True, default="")
    consent_relation = models.CharField(max_length=16, blank=True, default="")
    consent_signed_at = models.DateTimeField(null=True)
    consent_version = models.CharField(max_length=16, blank=True, default="")
    consent_signature = models.TextField(blank=True, default="")

    submitted_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    expected_at = models.DateTimeField(null=True)
    arrived_at = models.DateTimeField(null=True)
    arrival_method = models.CharField(max_length=12, choices=Arrival.choices, blank=True, default="")
    treated_at = models.DateTimeField(null=True)
    discharged_at = models.DateTimeField(null=True)
    handed_back_at = models.DateTimeField(null=True)
    received_back_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    decline_code = models.CharField(max_length=20, choices=DeclineReason.choices, blank=True, default="")
    alternative = models.CharField(max_length=400, blank=True, default="")
    attending = models.ForeignKey(Practitioner, on_delete=models.PROTECT, null=True, related_name="referrals_attended")
    inpatient_number = models.CharField(max_length=30, blank=True, default="")
    ward = models.CharField(max_length=60, blank=True, default="")
    bed = models.CharField(max_length=20, blank=True, default="")
    discharge_code = models.CharField(max_length=16, blank=True, default="")
    discharge_diagnosis = models.CharField(max_length=200, blank=True, default="")
    findings = models.TextField(blank=True, default="")
    discharge_summary = models.TextField(blank=True, default="")
    outcome = models.CharField(max_length=400, blank=True, default="")
    outcome_en = models.CharField(max_length=600, blank=True, default="")

    row_access = RowAccess(
        using=f"access_is_system() OR {_mine('source_id')} OR (state <> 'draft' AND {_mine('target_id')})"
        f" OR {_mine('redirected_from_id')} OR (handed_back_at IS NOT NULL AND {_mine('receiver_id')})"
        f" OR (state <> 'draft' AND {_SELF})"
    )
    when_merged = Moves(
        _("转诊"),
        also={"resident_key": "key"},
        clash=_("两份档案都有转往同一医院的在办转诊，请先撤回其中一份。"),
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["resident", "target"],
                condition=models.Q(state__in=states.OPEN_AT_TARGET),
                name="referral_once_open_per_target",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=states.BEFORE_SUBMIT)
                | models.Q(
                    target__isnull=False,
                    reviewer__isnull=False,
                    consent_signed_at__isnull=False,
                    submitted_at__isnull=False,
                ),
                name="referral_submitted_with_consent_and_reviewer",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="declined") | ~models.Q(decline_code=""), name="referral_declined_with_code"
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=states.AFTER_DISCHARGE)
                | (models.Q(discharged_at__isnull=False) & ~models.Q(discharge_diagnosis="")),
                name="referral_discharged_with_diagnosis",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=("handed_back", "received_back", "closed"))
                | models.Q(receiver__isnull=False, handed_back_at__isnull=False),
                name="referral_handed_back_to_somebody",
            ),
        )
        indexes = (
            models.Index(fields=["source", "-created_at"], name="referral_source"),
            models.Index(fields=["target", "state", "-state_since"], name="referral_target"),
            models.Index(fields=["receiver", "state", "-state_since"], name="referral_receiver"),
            models.Index(fields=["resident", "-created_at"], name="referral_resident"),
            models.Index(fields=["origin"], name="referral_origin", condition=~models.Q(origin="")),
            models.Index(fields=["expected_at"], name="referral_expected", condition=models.Q(state="accepted")),
        )

    def __str__(self) -> str:
        return f"{self.patient_name} {self.number}"

    def sides(self) -> dict[str, int | None]:
        """Who sends, who takes, who gets the patient back."""
        return {"source": self.source_id, "target": self.target_id, "receiver": self.receiver_id}

    def parties(self) -> list[int]:
        """A draft is the sender's alone; a unit that passed the referral on keeps its history."""
        if self.submitted_at is None:
            return [self.source_id]
        back = self.receiver_id if self.handed_back_at else None
        return sorted({one for one in (self.source_id, self.target_id, self.redirected_from_id, back) if one})

    def urgency(self) -> int:
        """Green and critical 3, green 2, urgent 1."""
        if self.kind == self.Kind.GREEN:
            return 3 if self.critical else 2
        return 1 if self.kind == self.Kind.URGENT else 0

    @property
    def number(self) -> str:
        """What people read out: the day of the draft and the first figures of the key."""
        return f"ZZ{timezone.localtime(self.created_at):%y%m%d}-{self.key.hex[:6].upper()}"

    @property
    def sight(self) -> str:
        """The episode under which the present target's care relationship stands; a redirect opens another."""
        return self.subject if not self.redirects else f"{self.subject}.{self.redirects}"


class RecoveryPlan(models.Model):
    """The plan that goes home: 治疗经过、下一步治疗方案及康复建议 of the 回转单, in parts that can be acted on.

    `medicines`: [{"name", "dose", "frequency", "days", "note"}]. `follow_up_days`: days after discharge.
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
        using=f"access_is_system() OR {_mine('source_id')} OR {_SELF} OR EXISTS (SELECT 1 FROM referrals_referral r"
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

    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="follow_ups")
    resident = models.ForeignKey(Resident, on_delete=models.PROTECT, related_name="follow_ups")
    unit = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="follow_ups")
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
        using=f"access_is_system() OR {_mine('unit_id')} OR {_SELF} OR EXISTS (SELECT 1 FROM referrals_referral r"
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
