"""What a doctor decided before a result that stands: recognised, or examined again, and why."""

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from doorstep.coordination.recognition import rules
from doorstep.kernel.access.merging import Moves
from doorstep.kernel.database.from_row import FromRow
from doorstep.kernel.database.policies import RowAccess
from doorstep.people.organizations.models import Organization
from doorstep.people.residents.models import Resident


class Decision(FromRow):
    """One decision of a doctor in one visit about one result; a later one about the same takes its place and counts alone."""

    class Verdict(models.TextChoices):
        """What was decided."""

        RECOGNISED = "recognised", "认可，未重复检查"
        REPEATED = "repeated", "重复检查"

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    resident = models.ForeignKey(Resident, on_delete=models.PROTECT, related_name="recognition_decisions")
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="recognition_decisions", db_index=False
    )
    consortium_id = models.BigIntegerField(null=True)
    episode = models.CharField(max_length=80)  # the visit in which it was decided: "visit/<key>"
    kind = models.CharField(max_length=12, choices=list(rules.KINDS.items()))
    report_id = models.CharField(max_length=64)  # FHIR id of the DiagnosticReport
    title = models.CharField(max_length=120, blank=True, default="")
    unit = models.CharField(max_length=120, blank=True, default="")
    reported_on = models.DateField()
    age_days = models.SmallIntegerField()
    verdict = models.CharField(max_length=12, choices=Verdict.choices)
    reason = models.CharField(max_length=4, choices=list(rules.REASONS.items()), blank=True, default="")
    words = models.CharField(max_length=200, blank=True, default="")
    order_key = models.UUIDField(null=True)  # the order by which it was repeated
    decided_at = models.DateTimeField(default=timezone.now)
    decided_by_id = models.BigIntegerField(null=True)
    decided_by_name = models.CharField(max_length=80, blank=True, default="")
    superseded_at = models.DateTimeField(null=True)

    # Figures are counted by those who reach the unit; the page of cases shows nothing of the resident.
    row_access = RowAccess(
        using="access_is_system() OR organization_id = ANY ((SELECT access_reach())::bigint[])"
        " OR access_may_see(resident_id)",
        check="access_is_system() OR organization_id = ANY ((SELECT access_reach())::bigint[])",
    )
    when_merged = Moves(_("互认决定"))

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["episode", "report_id"],
                condition=models.Q(superseded_at__isnull=True),
                name="one_decision_of_a_visit",
            ),
            models.CheckConstraint(
                condition=models.Q(verdict="recognised", reason="", words="")
                | (models.Q(verdict="repeated") & ~models.Q(reason="")),
                name="repeated_for_a_reason",
            ),
            models.CheckConstraint(
                condition=~models.Q(reason__in=sorted(rules.IN_WORDS)) | ~models.Q(words=""), name="reason_in_words"
            ),
        )
        indexes = (models.Index(fields=["organization", "decided_at"], name="decision_of_unit"),)
