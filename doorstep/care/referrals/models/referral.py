"""A referral with everything of its form and of its way."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from doorstep.care.referrals import states
from doorstep.care.referrals.back_ways import ARRIVES
from doorstep.care.referrals.down_aims import ARRIVING
from doorstep.care.referrals.models import figures
from doorstep.care.referrals.models.home import GoesHome
from doorstep.care.referrals.models.walls import OWN, handled_by
from doorstep.coordination.scheduling.models import Booking
from doorstep.coordination.visits.pregnancy import STATUSES
from doorstep.kernel.access.encryption import SealedTextField
from doorstep.kernel.access.merging import Moves
from doorstep.kernel.database.policies import RowAccess
from doorstep.kernel.workflow.machine import Machine
from doorstep.people.organizations.models import Department, Organization
from doorstep.people.residents.models import Resident
from doorstep.people.workforce.models import Practitioner

_ENDED = models.Q(state__in=states.ENDED)
_TOLD = _ENDED | ~models.Q(outcome="")


class Referral(GoesHome):
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

    class Direction(models.TextChoices):
        """Where to: towards the specialist, towards home, to an equal, or out of the network."""

        UP = "up", "上转"
        DOWN = "down", "下转"
        SIDE = "side", "平级转诊"
        OUT = "out", "转医共体外"

    class Aim(models.TextChoices):
        """What the patient is referred to."""

        DEPARTMENT = "department", "专科门诊"
        EXPERT = "expert", "指定专家"
        BED = "bed", "住院床位"
        CLINIC = "clinic", "基层门诊"
        REHABILITATION = "rehab", "康复"
        CARE_HOME = "care-home", "养老与照护机构"
        HOME = "home", "居家（家庭医生上门）"

    class GreenCenter(models.TextChoices):
        """The five emergency centres (五大中心)."""

        NONE = "", "—"
        CHEST_PAIN = "chest-pain", "胸痛中心"
        STROKE = "stroke", "卒中中心"
        TRAUMA = "trauma", "创伤中心"
        MATERNAL = "maternal", "危重孕产妇救治中心"
        NEWBORN = "newborn", "危重新生儿救治中心"

    class ReturnReason(models.TextChoices):
        """What is missing when a referral is returned."""

        EXAM = "missing-exam", "缺少必要检查"
        HISTORY = "missing-history", "病史或用药不清"
        PURPOSE = "unclear-purpose", "转诊目的不明确"
        CONSENT = "missing-consent", "知情同意不全"
        OTHER = "other", "其他"

    class OfferRefusal(models.TextChoices):
        """Why the patient does not take the place or bed that is offered."""

        TIME = "time", "时间不合适"
        PLACE = "place", "不愿去所安排的科室或医院"
        DISTANCE = "distance", "路途远或无人陪同"
        COST = "cost", "费用顾虑"
        WORSE = "worse", "病情加重，等不到安排的时间"
        BETTER = "better", "症状好转，暂不想去"
        OTHER = "other", "其他"

    class BackReason(models.TextChoices):
        """Why a receiver or a ward does not go along with a down-referral."""

        NO_MEDICINE = "no-medicine", "缺少所需药品"
        NO_SKILL = "no-skill", "不具备所需技术或设备"
        NO_BED = "no-bed", "没有床位"
        NOT_STABLE = "not-stable", "病情未稳定"
        PATIENT_REFUSES = "patient-refuses", "患者或家属不同意"
        FAR_FROM_HOME = "far-from-home", "离家较远"
        PLAN_UNCLEAR = "plan-unclear", "治疗方案不明确"
        NOT_COME = "not-come", "患者未按约到达"
        OTHER = "other", "其他"

    class OutsideReason(models.TextChoices):
        """Why a patient leaves the network: what leakage is counted by."""

        NO_SKILL = "no-skill", "医共体内不能开展"
        NO_BED = "no-bed", "医共体内无床位或等候过长"
        PATIENT_CHOICE = "patient-choice", "患者自行选择"
        EMERGENCY = "emergency", "急救就近送达"
        INSURANCE = "insurance", "参保地或备案要求"
        OTHER = "other", "其他"

    class Transport(models.TextChoices):
        """How the patient travels."""

        OWN = "own", "自行前往"
        AMBULANCE = "ambulance", "救护车"
        ESCORT = "escort", "医护护送"

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
    read_along = ("source", "target", "department", "receiver", "referrer", "attending")
    shown_by_itself = True  # The plan and its follow-ups are rows of their own.

    resident = models.ForeignKey(Resident, on_delete=models.PROTECT, related_name="referrals", db_index=False)
    resident_key = models.UUIDField()
    patient_name = models.CharField(max_length=60)
    patient_gender = models.CharField(max_length=8)
    patient_birth_date = models.DateField()
    # As the form says them when it is sent (contact.py).
    record_number = models.CharField(max_length=24, blank=True, default="", db_default="")
    patient_phone = SealedTextField(null=True, default="")
    patient_address = SealedTextField(null=True, default="")
    direction = models.CharField(max_length=4, choices=Direction.choices, default=Direction.UP)
    aim = models.CharField(max_length=12, choices=Aim.choices, default=Aim.DEPARTMENT)
    green_center = models.CharField(max_length=12, choices=GreenCenter.choices, blank=True, default="")
    previous = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="following")
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.ORDINARY)
    critical = models.BooleanField(default=False)
    source = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="referrals_out")
    target = models.ForeignKey(Organization, on_delete=models.PROTECT, null=True, related_name="referrals_in")
    department = models.ForeignKey(
        Department, on_delete=models.PROTECT, null=True, related_name="referrals", db_index=False
    )
    receiver = models.ForeignKey(Organization, on_delete=models.PROTECT, null=True, related_name="referrals_back")
    redirected_from = models.ForeignKey(Organization, on_delete=models.PROTECT, null=True, related_name="+")
    redirects = models.SmallIntegerField(default=0)
    tried = ArrayField(models.BigIntegerField(), default=list)
    unanswered_at = models.DateTimeField(null=True)
    expert = models.ForeignKey(
        Practitioner, on_delete=models.PROTECT, null=True, related_name="referrals_expected", db_index=False
    )
    referrer = models.ForeignKey(Practitioner, on_delete=models.PROTECT, related_name="referrals_made", db_index=False)
    referrer_phone = models.CharField(max_length=30, blank=True, default="")
    reviewer = models.ForeignKey(
        Practitioner, on_delete=models.PROTECT, null=True, related_name="referrals_reviewed", db_index=False
    )

    impression_code = models.CharField(max_length=16, blank=True, default="")
    impression = models.CharField(max_length=200, blank=True, default="")
    present_illness = models.TextField(blank=True, default="")
    history = models.TextField(blank=True, default="")
    treatment = models.TextField(blank=True, default="")
    symptoms = models.JSONField(null=True)
    pregnancy = models.CharField(max_length=10, choices=list(STATUSES.items()), blank=True, default="", db_default="")
    last_period_on = models.DateField(null=True)
    delivered_on = models.DateField(null=True)
    origin = models.CharField(max_length=80, blank=True, default="")
    origin_reference = models.CharField(max_length=120, blank=True, default="")
    packet = models.JSONField(default=list)
    # False: the receiving side reads the packet alone, with allergies, problems and medicines.
    whole_record = models.BooleanField(default=True)
    criteria = models.JSONField(default=list)
    benefits = models.JSONField(default=list)

    hold_key = models.UUIDField(null=True)
    held_until = models.DateTimeField(null=True)
    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, null=True, related_name="referrals", db_index=False)
    appointment_text = models.CharField(max_length=160, blank=True, default="")
    bed_requested = models.BooleanField(default=False)
    instructions = models.CharField(max_length=400, blank=True, default="")

    consent_signer = models.CharField(max_length=60, blank=True, default="")
    consent_relation = models.CharField(max_length=16, blank=True, default="")
    consent_signed_at = models.DateTimeField(null=True)
    consent_version = models.CharField(max_length=16, blank=True, default="")
    consent_signature = models.TextField(blank=True, default="")
    consent_paper = models.UUIDField(null=True)

    return_code = models.CharField(max_length=20, choices=ReturnReason.choices, blank=True, default="")
    advice = models.TextField(blank=True, default="")
    # Why the last offer was not taken; "" before, and when it ran out.
    offer_refusal = models.CharField(max_length=10, choices=OfferRefusal.choices, blank=True, default="")
    offer_text = models.CharField(max_length=160, blank=True, default="")
    offered_at = models.DateTimeField(null=True)
    offer_until = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    bed_key = models.UUIDField(null=True)
    transport = models.CharField(max_length=12, choices=Transport.choices, blank=True, default="")
    departed_at = models.DateTimeField(null=True)
    back_code = models.CharField(max_length=20, choices=BackReason.choices, blank=True, default="")
    outside_name = models.CharField(max_length=120, blank=True, default="")
    outside_reason = models.CharField(max_length=20, choices=OutsideReason.choices, blank=True, default="")
    outside_result = models.TextField(blank=True, default="")
    elsewhere_name = models.CharField(max_length=120, blank=True, default="")

    submitted_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    expected_at = models.DateTimeField(null=True)
    arrived_at = models.DateTimeField(null=True)
    arrival_method = models.CharField(max_length=12, choices=Arrival.choices, blank=True, default="")
    treated_at = models.DateTimeField(null=True)
    admitted_at = models.DateTimeField(null=True)
    discharged_at = models.DateTimeField(null=True)
    handed_back_at = models.DateTimeField(null=True)
    received_back_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    # Units below the receiver that follow the patient up, whoever sent: they read the case and ask the ward.
    followers = ArrayField(models.BigIntegerField(), default=list, db_default=[])

    decline_code = models.CharField(max_length=20, choices=DeclineReason.choices, blank=True, default="")
    alternative = models.CharField(max_length=400, blank=True, default="")
    attending = models.ForeignKey(
        Practitioner, on_delete=models.PROTECT, null=True, related_name="referrals_attended", db_index=False
    )
    inpatient_number = models.CharField(max_length=30, blank=True, default="")
    ward = models.CharField(max_length=60, blank=True, default="")
    bed = models.CharField(max_length=20, blank=True, default="")
    discharge_code = models.CharField(max_length=16, blank=True, default="")
    discharge_diagnosis = models.CharField(max_length=200, blank=True, default="")
    findings = models.TextField(blank=True, default="")
    discharge_summary = models.TextField(blank=True, default="")
    outcome = models.CharField(max_length=400, blank=True, default="")
    outcome_en = models.CharField(max_length=600, blank=True, default="")
    # Since when nobody has to do anything about an open referral, as the house's watch found it; there must be none.
    dark_since = models.DateTimeField(null=True)
    desk = models.GeneratedField(expression=figures.DESK, output_field=models.SmallIntegerField(), db_persist=True)

    row_access = RowAccess(
        using=f"access_is_system() OR {handled_by('source_id')} OR (state <> 'draft' AND {handled_by('target_id')})"
        f" OR {handled_by('redirected_from_id')} OR (handed_back_at IS NOT NULL AND {handled_by('receiver_id')})"
        " OR followers && (SELECT access_record_reach())::bigint[]"
        f" OR (state <> 'draft' AND {OWN})"
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
                condition=~models.Q(state__in=(*states.AT_RECEIVER, "closed"))
                | models.Q(receiver__isnull=False, handed_back_at__isnull=False),
                name="referral_handed_back_to_somebody",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=("outside", "outside_closed"))
                | (~models.Q(outside_name="") & ~models.Q(outside_reason="")),
                name="referral_outside_with_place_and_reason",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="advised") | ~models.Q(advice=""), name="referral_advised_with_words"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="offered") | models.Q(offer_until__isnull=False),
                name="referral_offer_has_its_end",
            ),
        )
        indexes = (
            models.Index(
                fields=["state", "state_since"],
                name="referral_clock",
                condition=models.Q(state__in=("submitted", "submitted_green", "handed_back", "offered")),
            ),
            models.Index(fields=["source", "-created_at", "-id"], name="referral_sent", condition=~_ENDED),
            models.Index(
                fields=["target", "desk", "state_since", "id"], name="referral_desk", condition=models.Q(desk__lt=20)
            ),
            models.Index(fields=["target", "expected_at", "id"], name="referral_coming", condition=figures.COMING),
            models.Index(
                fields=["attending", "desk", "state_since", "id"],
                name="referral_attending",
                condition=models.Q(desk__lt=20),
            ),
            models.Index(
                fields=["receiver", "desk", "state_since", "id"], name="referral_back", condition=models.Q(desk__lt=20)
            ),
            models.Index(fields=["source", "-state_since", "-id"], name="referral_told_source", condition=_TOLD),
            models.Index(fields=["target", "-state_since", "-id"], name="referral_told_target", condition=_TOLD),
            models.Index(fields=["receiver", "-state_since", "-id"], name="referral_told_back", condition=_TOLD),
            models.Index(fields=["created_at"], name="referral_begun"),
            *figures.INDEXES,
            models.Index(fields=["dark_since"], name="referral_dark", condition=models.Q(dark_since__isnull=False)),
            models.Index(fields=["resident", "-created_at"], name="referral_resident"),
            models.Index(fields=["origin"], name="referral_origin", condition=~models.Q(origin="")),
            models.Index(
                fields=["expected_at"],
                name="referral_expected",
                condition=models.Q(state__in=("accepted", "on_the_way")),
            ),
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
        return sorted(
            {one for one in (self.source_id, self.target_id, self.redirected_from_id, back, *self.followers) if one}
        )

    def variant(self) -> str:
        """Who goes by the green channel stays on it, back from an offer, too; on the way home, whether the patient is expected first."""
        if self.state == "handed_back":
            return ARRIVES if self.goes_to in ARRIVING else ""
        return "green" if self.kind == self.Kind.GREEN else ""

    def urgency(self) -> int:
        """Green and critical 3, green 2, urgent 1."""
        if self.kind == self.Kind.GREEN:
            return 3 if self.critical else 2
        return 1 if self.kind == self.Kind.URGENT else 0

    def doer(self) -> int | None:
        """The attending doctor while the patient is treated."""
        return self.attending.user_id if self.attending and self.state in ("in_treatment", "admitted") else None

    @property
    def number(self) -> str:
        """What people read out: the day of the draft and the first figures of the key."""
        return number_of(key=self.key, begun=self.created_at)

    @property
    def shown_under(self) -> str:
        """The episode of the referral's own resources: a narrow relationship reads them by the very episode it stands under."""
        return self.subject if self.whole_record else self.sight

    @property
    def sight(self) -> str:
        """The episode under which the present target's care relationship stands; a redirect opens another."""
        return self.subject if not self.redirects else f"{self.subject}.{self.redirects}"


def number_of(*, key: UUID, begun: datetime) -> str:
    """What people read out of a referral: the day of its draft in China and the first figures of its key."""
    return f"ZZ{timezone.localtime(begun):%y%m%d}-{key.hex[:6].upper()}"
