"""A visit: one resident, seen once by one unit. FHIR Encounter."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from doorstep.coordination.visits import states
from doorstep.kernel.access.merging import Moves
from doorstep.kernel.database.policies import RowAccess
from doorstep.kernel.workflow.models import WorkItem
from doorstep.people.organizations.models import Organization
from doorstep.people.residents.models import Resident
from doorstep.people.workforce.models import Practitioner


class Visit(WorkItem):
    """One visit. What was measured and written during it carries its subject as the episode."""

    class Kind(models.TextChoices):
        """Where the resident was seen."""

        OUTPATIENT = "outpatient", "门诊"
        HOME = "home", "上门"
        EMERGENCY = "emergency", "急诊"

    machine = states.VISIT
    read_along = ("resident", "organization", "practitioner")

    resident = models.ForeignKey(Resident, on_delete=models.PROTECT, related_name="visits", db_index=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="visits", db_index=False)
    practitioner = models.ForeignKey(Practitioner, on_delete=models.PROTECT, null=True, related_name="visits")
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.OUTPATIENT)
    complaint = models.CharField(max_length=400, blank=True, default="")
    ended_at = models.DateTimeField(null=True)

    row_access = RowAccess(
        using="access_is_system() OR organization_id = ANY ((SELECT access_record_reach())::bigint[])"
        " OR resident_id = ANY ((SELECT access_self())::bigint[])"
    )
    when_merged = Moves(_("接诊"), clash=_("两份档案在同一单位都有未结束的接诊，请先结束其中一次接诊。"))

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["resident", "organization"],
                condition=models.Q(state=states.IN_PROGRESS),
                name="one_visit_at_a_time",
            ),
            models.CheckConstraint(
                condition=~models.Q(state=states.FINISHED) | models.Q(ended_at__isnull=False),
                name="visit_finished_has_end",
            ),
        )
        indexes = (
            models.Index(fields=["organization", "-created_at"], name="visit_organization"),
            models.Index(fields=["resident", "-created_at"], name="visit_resident"),
        )

    def sides(self) -> dict[str, int | None]:
        """The unit that sees the resident."""
        return {"unit": self.organization_id}
