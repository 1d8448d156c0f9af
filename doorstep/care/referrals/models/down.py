"""Proposals to let stable patients go home, and what the units near home can do for them."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from doorstep.care.referrals import case_states, down_aims
from doorstep.care.referrals.models.referral import Referral
from doorstep.care.referrals.models.walls import handled_by
from doorstep.kernel.access.merging import Moves
from doorstep.kernel.database.from_row import FromRow
from doorstep.kernel.database.policies import RowAccess
from doorstep.kernel.workflow.machine import Machine
from doorstep.kernel.workflow.models import WorkItem
from doorstep.people.organizations.models import Organization
from doorstep.people.residents.models import Resident


class UnitService(FromRow):
    """What a primary unit can do for patients who come back: skills of `down_rules.SKILLS`, and medicines it keeps.

    `medicines` are codes of the terminology's medicine list; empty means that the unit has not said.
    """

    organization = models.OneToOneField(Organization, on_delete=models.CASCADE, related_name="down_service")
    accepts = models.BooleanField(default=True)
    skills = ArrayField(models.CharField(max_length=24), default=list)
    medicines = ArrayField(models.CharField(max_length=24), default=list)
    changed_at = models.DateTimeField(default=timezone.now)


class StockLine(FromRow):
    """What a unit has of one medicine, as its staff counted it; `quantity` in packages of `unit`."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="stock", db_index=False)
    code = models.CharField(max_length=24)
    name = models.CharField(max_length=80)
    quantity = models.PositiveIntegerField()
    unit = models.CharField(max_length=12, blank=True, default="")
    counted_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["organization", "code"], name="stock_once"),)


class DownProposal(WorkItem):
    """A proposal that a stable patient of a ward goes home; both doctors are asked.

    `criteria` as they were judged; `needs`: {"skills", "medicines", "bed"}; `choices`: the receivers that were weighed, best
    first, each with what it can do and what it lacks; `plan`: the drafted recovery plan.
    """

    machine: ClassVar[Machine] = case_states.DOWN_PROPOSAL

    resident = models.ForeignKey(Resident, on_delete=models.PROTECT, related_name="down_proposals")
    resident_key = models.UUIDField()
    patient_name = models.CharField(max_length=60)
    # Kept here as on a referral: who is asked sees no record and has to know whom it is about.
    patient_gender = models.CharField(max_length=8, blank=True, default="", db_default="")
    patient_birth_date = models.DateField(null=True)
    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, null=True, related_name="down_proposals")
    stay_key = models.UUIDField()
    ward = models.CharField(max_length=60)
    disease = models.CharField(max_length=24)
    diagnosis = models.CharField(max_length=200)
    hospital = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="down_proposals", db_index=False)
    receiver = models.ForeignKey(
        Organization, on_delete=models.PROTECT, null=True, related_name="offered_patients", db_index=False
    )
    tried = ArrayField(models.BigIntegerField(), default=list)
    # Whom the ward's doctor wants asked after the present receiver, in this order.
    following = ArrayField(models.BigIntegerField(), default=list, db_default=[])
    criteria = models.JSONField(default=list)
    # Where the patient goes (down_aims.AIMS), and why the house proposed it ("" where the ward chose).
    aim = models.CharField(max_length=12, default=down_aims.CLINIC, db_default=down_aims.CLINIC)
    aim_reason = models.CharField(max_length=80, blank=True, default="", db_default="")
    needs = models.JSONField(default=dict)
    choices = models.JSONField(default=list)
    plan = models.JSONField(default=dict)
    ward_code = models.CharField(max_length=20, choices=Referral.BackReason.choices, blank=True, default="")
    receiver_codes = models.JSONField(default=list)
    asked_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)

    row_access = RowAccess(
        using=f"access_is_system() OR {handled_by('hospital_id')}"
        f" OR (asked_at IS NOT NULL AND {handled_by('receiver_id')})"
        # Who refused passes the question on and keeps what it did.
        " OR tried && (SELECT access_record_reach())"
    )
    when_merged = Moves(_("下转建议"), also={"resident_key": "key"})

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["stay_key"],
                condition=models.Q(state__in=("proposed", "asked")),
                name="down_proposal_once_per_stay",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="asked") | models.Q(receiver__isnull=False, asked_at__isnull=False),
                name="down_proposal_asks_somebody",
            ),
        )
        indexes = (
            models.Index(fields=["hospital", "state", "-state_since"], name="down_proposal_hospital"),
            models.Index(fields=["receiver", "state", "-state_since"], name="down_proposal_receiver"),
        )

    def sides(self) -> dict[str, int | None]:
        """The ward's hospital and the unit that is asked."""
        return {"hospital": self.hospital_id, "receiver": self.receiver_id}
