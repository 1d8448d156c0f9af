"""What is asked on a case after the patient went home, and what a patient owes who was treated before paying."""

from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from doorstep.care.referrals import case_states
from doorstep.care.referrals.models.referral import Referral
from doorstep.care.referrals.models.walls import OWN, handled_by
from doorstep.kernel.access.merging import Moves
from doorstep.kernel.database.policies import RowAccess
from doorstep.kernel.workflow.machine import Machine
from doorstep.kernel.workflow.models import WorkItem
from doorstep.people.organizations.models import Organization
from doorstep.people.residents.models import Resident
from doorstep.people.workforce.models import Practitioner


class CaseQuestion(WorkItem):
    """A question on a case with its answer: the ward stays reachable for 30 days, with a clock on each answer."""

    machine: ClassVar[Machine] = case_states.CASE_QUESTION

    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="questions", db_index=False)
    resident = models.ForeignKey(Resident, on_delete=models.PROTECT, related_name="case_questions")
    resident_key = models.UUIDField()
    asker = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    answerer = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    urgent = models.BooleanField(default=False)
    text = models.TextField()
    asked_by = models.ForeignKey(Practitioner, on_delete=models.PROTECT, null=True, related_name="+")
    answer = models.TextField(blank=True, default="")
    answered_at = models.DateTimeField(null=True)
    answered_by = models.ForeignKey(Practitioner, on_delete=models.PROTECT, null=True, related_name="+")

    row_access = RowAccess(
        using=f"access_is_system() OR {handled_by('asker_id')} OR {handled_by('answerer_id')} OR {OWN}"
    )
    when_merged = Moves(_("病例答疑"), also={"resident_key": "key"})

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=~models.Q(state="answered") | (models.Q(answered_at__isnull=False) & ~models.Q(answer="")),
                name="case_question_answered_with_words",
            ),
        )
        indexes = (
            models.Index(fields=["referral", "created_at"], name="case_question_referral"),
            models.Index(fields=["answerer", "state", "state_since"], name="case_question_answerer"),
        )

    def sides(self) -> dict[str, int | None]:
        """Who asks and who answers."""
        return {"asker": self.asker_id, "answerer": self.answerer_id}

    def urgency(self) -> int:
        """An urgent question stands with urgent referrals."""
        return 1 if self.urgent else 0

    @property
    def episode(self) -> str:
        """It belongs to its referral."""
        return self.referral.subject


class PayLater(WorkItem):
    """The debt of a patient who was treated before paying (先诊疗后付费): amount in yuan, followed up until settled."""

    machine: ClassVar[Machine] = case_states.PAY_LATER

    referral = models.OneToOneField(Referral, on_delete=models.PROTECT, related_name="debt")
    resident = models.ForeignKey(Resident, on_delete=models.PROTECT, related_name="treatment_debts")
    resident_key = models.UUIDField()
    creditor = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    amount = models.DecimalField(max_digits=10, decimal_places=2)
    # What came in so far, in yuan.
    paid = models.DecimalField(max_digits=10, decimal_places=2, default=Decimal(0), db_default=Decimal(0))
    due_on = models.DateField()
    paid_at = models.DateTimeField(null=True)
    note = models.CharField(max_length=200, blank=True, default="")
    reminders = models.SmallIntegerField(default=0, db_default=0)
    reminded_at = models.DateTimeField(null=True)
    noted_at = models.DateTimeField(default=timezone.now)

    row_access = RowAccess(using=f"access_is_system() OR {handled_by('creditor_id')} OR {OWN}")
    when_merged = Moves(_("先诊疗后付费欠款"), also={"resident_key": "key"})

    class Meta:
        constraints = (
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="pay_later_owes_something"),
            models.CheckConstraint(
                condition=models.Q(paid__gte=0) & models.Q(paid__lte=models.F("amount")),
                name="pay_later_paid_in_bounds",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="paid") | models.Q(paid_at__isnull=False), name="pay_later_paid_at_a_time"
            ),
        )
        indexes = (models.Index(fields=["creditor", "state", "due_on"], name="pay_later_creditor"),)

    def rest(self) -> Decimal:
        """What is still open, in yuan."""
        return self.amount - self.paid

    def days_late(self) -> int:
        """How many days it is overdue; 0 while it is not, or is settled."""
        return max((timezone.localdate() - self.due_on).days, 0) if self.state == "owing" else 0

    def sides(self) -> dict[str, int | None]:
        """The hospital to which it is owed."""
        return {"creditor": self.creditor_id}

    @property
    def episode(self) -> str:
        """It belongs to its referral."""
        return self.referral.subject
