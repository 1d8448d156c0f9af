"""How hospitals number our residents, and merges that they tell us of."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from doorstep.coordination.hospital_systems import states
from doorstep.kernel.access.merging import Moves, Stays
from doorstep.kernel.database.from_row import FromRow
from doorstep.kernel.database.policies import RowAccess
from doorstep.kernel.exchange.models import Message
from doorstep.kernel.workflow.models import WorkItem
from doorstep.people.residents.models import Resident


class PatientNumber(FromRow):
    """A hospital's own number of a resident, learned from a message that also carried a number we know; kept as a keyed index."""

    organization_id = models.BigIntegerField()
    index = models.UUIDField()
    resident = models.ForeignKey(Resident, on_delete=models.PROTECT, related_name="patient_numbers")
    learned_from = models.ForeignKey(Message, on_delete=models.PROTECT, related_name="+")

    row_access = RowAccess(using="access_is_system() OR organization_id = ANY ((SELECT access_reach())::bigint[])")

    when_merged = Moves(_("院内患者号"))

    class Meta:
        constraints = (models.UniqueConstraint(fields=["organization_id", "index"], name="patient_number_once"),)


class MergeNotice(WorkItem):
    """A hospital says that two of its patients are one person (ADT A40); here they are two residents until somebody has looked."""

    machine = states.MERGE_NOTICE

    resident = models.ForeignKey(Resident, on_delete=models.PROTECT, related_name="merge_notices")
    prior = models.ForeignKey(Resident, on_delete=models.PROTECT, related_name="+")
    organization_id = models.BigIntegerField()
    message = models.OneToOneField(Message, on_delete=models.PROTECT, related_name="merge_notice")

    row_access = RowAccess(using="access_is_system() OR organization_id = ANY ((SELECT access_reach())::bigint[])")

    when_merged = Stays("says which two records the hospital meant")

    class Meta:
        constraints = (
            models.CheckConstraint(condition=~models.Q(resident=models.F("prior")), name="merge_notice_of_two"),
        )

    def sides(self) -> dict[str, int | None]:
        """The hospital that told us."""
        return {"unit": self.organization_id}
