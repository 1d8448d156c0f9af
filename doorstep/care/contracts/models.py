"""Family-doctor contracts."""

from datetime import date
from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _

from doorstep.care.contracts.states import CONTRACT, COUNTING, LIVE
from doorstep.kernel.access.merging import Moves
from doorstep.kernel.database.policies import RowAccess
from doorstep.kernel.workflow.machine import Machine
from doorstep.kernel.workflow.models import WorkItem
from doorstep.people.organizations.models import Organization
from doorstep.people.residents.models import Resident
from doorstep.people.workforce.models import Practitioner, Team


class DateRange(Func):
    """daterange(start, end): the days between two columns."""

    function = "DATERANGE"
    output_field = DateRangeField()


class Contract(WorkItem):
    """An agreement of one resident with a team and the 1+2+3 institutions, 国卫基层发〔2022〕10号.

    `organization` is the township or community centre (1), `secondary_hospital` (2) and `tertiary_hospital` (3) the chosen
    hospitals; `signing_organization` is the unit where it was signed and that keeps it. Fees in yuan a year. `consents_to_record`: the
    resident lets the team read the health record. `presence_id` is the proof that the resident was there.
    """

    class SignMode(models.TextChoices):
        """How it was signed."""

        PERSON = "person", "个人签约"
        FAMILY = "family", "家庭签约"
        INSTITUTION = "institution", "机构签约"
        PAPER = "paper", "纸质协议补录"

    class Ending(models.TextChoices):
        """Why it was terminated."""

        MOVED = "moved", "迁出"
        DIED = "died", "死亡"
        CHANGE_TEAM = "change-team", "更换团队"
        REQUEST = "request", "居民要求"
        BREACH = "breach", "违约"
        MERGED = "merged", "档案合并"

    machine: ClassVar[Machine] = CONTRACT

    resident = models.ForeignKey(Resident, on_delete=models.PROTECT, related_name="contracts", db_index=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="contracts")
    doctor = models.ForeignKey(Practitioner, on_delete=models.PROTECT, null=True, related_name="contracts")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="contracts", db_index=False)
    signing_organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="signed_contracts", db_index=False
    )
    secondary_hospital = models.ForeignKey(
        Organization, on_delete=models.PROTECT, null=True, related_name="secondary_contracts"
    )
    tertiary_hospital = models.ForeignKey(
        Organization, on_delete=models.PROTECT, null=True, related_name="tertiary_contracts"
    )
    starts_on = models.DateField()
    term_years = models.SmallIntegerField()
    ends_on = models.DateField()
    package_code = models.CharField(max_length=16)
    fee_insurance = models.DecimalField(max_digits=8, decimal_places=2, default=0)
    fee_public_health = models.DecimalField(max_digits=8, decimal_places=2, default=0)
    fee_resident = models.DecimalField(max_digits=8, decimal_places=2, default=0)
    consents_to_record = models.BooleanField(default=False)
    consented_on = models.DateField(null=True)
    sign_mode = models.CharField(max_length=12, choices=SignMode.choices, default=SignMode.PERSON)
    signer_name = models.CharField(max_length=60, blank=True, default="")
    signer_relation = models.CharField(max_length=16, blank=True, default="")
    signed_at = models.DateTimeField(null=True)
    presence_id = models.BigIntegerField(null=True)
    reminded_days = models.SmallIntegerField(null=True)
    ending = models.CharField(max_length=12, choices=Ending.choices, blank=True, default="")
    previous = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="successor")

    row_access = RowAccess(
        using="access_is_system() OR organization_id = ANY ((SELECT access_record_reach())::bigint[])"
        " OR signing_organization_id = ANY ((SELECT access_record_reach())::bigint[])"
        " OR access_may_see(resident_id)",
        check="access_is_system() OR organization_id = ANY ((SELECT access_record_reach())::bigint[])"
        " OR signing_organization_id = ANY ((SELECT access_record_reach())::bigint[])",
    )
    when_merged = Moves(
        _("家庭医生签约"),
        clash=_("两份档案都有生效或时间重叠的签约，一人只能签约一次。请先解除其中一份签约。"),
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["resident"], condition=Q(state__in=LIVE), name="contract_one_active"),
            ExclusionConstraint(
                name="contract_one_at_a_time",
                expressions=[
                    ("resident", RangeOperators.EQUAL),
                    (DateRange("starts_on", "ends_on", RangeBoundary(inclusive_upper=True)), RangeOperators.OVERLAPS),
                ],
                condition=Q(state__in=COUNTING),
            ),
            models.CheckConstraint(condition=Q(term_years__in=(1, 2, 3)), name="contract_term"),
            models.CheckConstraint(condition=Q(ends_on__gt=F("starts_on")), name="contract_ends_after_start"),
            models.CheckConstraint(
                condition=Q(state__in=("draft", "terminated")) | (Q(signed_at__isnull=False) & ~Q(signer_name="")),
                name="contract_signed_by_somebody",
            ),
            models.CheckConstraint(
                condition=(Q(state="terminated") & ~Q(ending="")) | (~Q(state="terminated") & Q(ending="")),
                name="contract_terminated_with_reason",
            ),
            models.CheckConstraint(
                condition=Q(consents_to_record=False) | Q(consented_on__isnull=False), name="contract_consent_dated"
            ),
            models.CheckConstraint(
                condition=Q(fee_insurance__gte=0, fee_public_health__gte=0, fee_resident__gte=0),
                name="contract_fees_not_negative",
            ),
        )
        indexes = (
            models.Index(fields=["organization", "state", "ends_on"], name="contract_organization"),
            models.Index(fields=["signing_organization", "state", "ends_on"], name="contract_signing"),
            models.Index(fields=["ends_on"], name="contract_running", condition=Q(state__in=LIVE)),
            models.Index(fields=["resident", "-starts_on"], name="contract_resident"),
        )

    def sides(self) -> dict[str, int | None]:
        """The team acts where the contract was signed; a township centre reaches its village clinics."""
        return {"team": self.signing_organization_id}

    def days_left(self, day: date) -> int:
        """Days from a day to the end of the term."""
        return (self.ends_on - day).days
