"""ECG orders with their reports, and critical values."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from doorstep.care.diagnosis import states
from doorstep.coordination.visits.models import Visit
from doorstep.kernel.access.merging import Moves, Stays
from doorstep.kernel.database.from_row import FromRow
from doorstep.kernel.database.policies import RowAccess
from doorstep.kernel.files.models import StoredFile
from doorstep.kernel.workflow.models import WorkItem
from doorstep.people.organizations.models import Organization
from doorstep.people.residents.models import Resident
from doorstep.people.workforce.models import Practitioner

CATEGORY = "ecg"

_PARTIES = (
    "access_is_system() OR source_id = ANY ((SELECT access_record_reach())::bigint[])"
    " OR center_id = ANY ((SELECT access_record_reach())::bigint[])"
    " OR resident_id = ANY ((SELECT access_self())::bigint[])"
)
# Beyond the parties: whoever a care relationship lets read this episode (the next in line, the referral hospital).
_READERS = " OR access_may_read(resident_id, source_id, 'ecg-order/' || {key}::text, 'ecg', false)"


class EcgOrder(WorkItem):
    """One ECG: asked for at `source`, read at `center`. FHIR ServiceRequest and DiagnosticReport.

    `preread` is what the machine measured and suspects; it sorts the queue and never signs. `measurements`, `findings` and the
    texts are the reader's draft until signed and the report afterwards; every signed version stays in `ReportVersion`.
    """

    machine = states.ECG_ORDER
    # Without the resident: an order stays although its reader's sight of the resident has ended.
    read_along = ("resident", "source", "center", "ordered_by", "reader", "signed_by")
    # The recording is a row of its own, found by the number in this one.
    shown_by_itself = True

    resident = models.ForeignKey(Resident, on_delete=models.PROTECT, related_name="ecg_orders", db_index=False)
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, null=True, related_name="ecg_orders", db_index=False)
    # The centre may name the visit and not read it.
    visit_key = models.UUIDField(null=True)
    source = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="ecg_orders", db_index=False)
    center = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="ecg_readings")
    ordered_by = models.ForeignKey(
        Practitioner, on_delete=models.PROTECT, null=True, related_name="ecg_orders", db_index=False
    )
    ordered_by_user_id = models.BigIntegerField(null=True)
    indication = models.CharField(max_length=400, blank=True, default="")
    urgent = models.BooleanField(default=False)

    recording = models.ForeignKey(StoredFile, on_delete=models.PROTECT, null=True, related_name="+")
    fingerprint = models.CharField(max_length=64, blank=True, default="")
    device_key = models.UUIDField(null=True)  # the cart that recorded, as FHIR Device
    taken_at = models.DateTimeField(null=True)
    arrived_at = models.DateTimeField(null=True)
    identity_note = models.CharField(max_length=200, blank=True, default="")
    preread = models.JSONField(default=dict)
    preread_at = models.DateTimeField(null=True)
    queue_urgency = models.SmallIntegerField(default=0)

    reader_user_id = models.BigIntegerField(null=True)
    reader = models.ForeignKey(Practitioner, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    lease_until = models.DateTimeField(null=True)
    claimed_at = models.DateTimeField(null=True)
    drafted_by = models.CharField(max_length=40, blank=True, default="")
    drafted_at = models.DateTimeField(null=True)

    measurements = models.JSONField(default=dict)
    findings = models.JSONField(default=list)
    findings_text = models.TextField(blank=True, default="")
    conclusion_text = models.TextField(blank=True, default="")
    critical_code = models.CharField(max_length=24, blank=True, default="")
    plain_zh = models.TextField(blank=True, default="")
    plain_en = models.TextField(blank=True, default="")
    version = models.SmallIntegerField(default=0)
    signed_at = models.DateTimeField(null=True)
    signed_by = models.ForeignKey(
        Practitioner, on_delete=models.PROTECT, null=True, related_name="signed_ecgs", db_index=False
    )
    signed_by_user_id = models.BigIntegerField(null=True)

    # Read along by queries for the lines of lists.
    source_name: str
    center_name: str
    reader_name: str | None
    outcome_zh = models.CharField(max_length=400, blank=True, default="")
    outcome_at = models.DateTimeField(null=True)
    outcome_seen_at = models.DateTimeField(null=True)

    row_access = RowAccess(using=_PARTIES + _READERS.format(key="key"), check=_PARTIES)
    when_merged = Moves(_("心电检查"))

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=~Q(state=states.SIGNED)
                | (
                    Q(signed_at__isnull=False, signed_by__isnull=False, signed_by_user_id__isnull=False, version__gte=1)
                    & ~Q(conclusion_text="")
                ),
                name="ecg_signed_together",
            ),
            models.CheckConstraint(
                condition=Q(state=states.SIGNED) | Q(signed_at__isnull=True, version=0),
                name="ecg_unsigned_has_no_signer",
            ),
            models.CheckConstraint(
                condition=Q(state=states.READING, reader_user_id__isnull=False, lease_until__isnull=False)
                | (~Q(state=states.READING) & Q(lease_until__isnull=True)),
                name="ecg_reading_has_lease",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=[states.QUEUED, states.READING, states.SIGNED])
                | (Q(recording__isnull=False, arrived_at__isnull=False) & ~Q(fingerprint="")),
                name="ecg_queued_has_recording",
            ),
            models.UniqueConstraint(
                fields=["fingerprint"],
                condition=~Q(fingerprint="") & ~Q(state__in=[states.CANCELLED, states.RETURNED]),
                name="ecg_recording_sent_once",
            ),
        )
        indexes = (
            models.Index(
                fields=["center", "-queue_urgency", "arrived_at", "id"],
                name="ecg_queue",
                condition=Q(state__in=[states.QUEUED, states.READING]),
            ),
            models.Index(fields=["source", "-created_at"], name="ecg_source"),
            models.Index(fields=["resident", "-created_at"], name="ecg_resident"),
            models.Index(fields=["signed_by_user_id", "-signed_at"], name="ecg_signed_by"),
            models.Index(fields=["lease_until"], name="ecg_lease", condition=Q(state=states.READING)),
        )

    def sides(self) -> dict[str, int | None]:
        """The unit that asked and the centre that reads."""
        return {"source": self.source_id, "center": self.center_id}

    def doer(self) -> int | None:
        """The reader who has claimed it; the lease gives it back to the queue when that reader goes silent."""
        return self.reader_user_id if self.state == states.READING else None

    def urgency(self) -> int:
        """0 ordinary to 3 life at stake: the pre-read's place, or the orderer's own word."""
        return self.queue_urgency


class ReportVersion(FromRow):
    """One signed version of a report as it went out, with the seal that a printed copy is checked against."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    order = models.ForeignKey(EcgOrder, on_delete=models.PROTECT, related_name="versions", db_index=False)
    order_key = models.UUIDField()
    resident_id = models.BigIntegerField()
    source_id = models.BigIntegerField()
    center_id = models.BigIntegerField()
    number = models.SmallIntegerField()
    signed_at = models.DateTimeField(default=timezone.now)
    signer_name = models.CharField(max_length=40)
    signer_licence = models.CharField(max_length=15)
    content = models.JSONField()
    reason = models.CharField(max_length=400, blank=True, default="")
    seal = models.CharField(max_length=64)

    append_only = True
    row_access = RowAccess(using=_PARTIES + _READERS.format(key="order_key"), check=_PARTIES)
    when_merged = Stays("append-only: a report stays as it was signed")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["order", "number"], name="report_version_once"),)


class CriticalValue(WorkItem):
    """A finding that endangers life, told to the unit that ordered and followed until somebody has acted."""

    class Action(models.TextChoices):
        """What was done for the patient."""

        REFERRED = "referred", "已上转"
        CALLED_120 = "called-120", "已呼叫 120"
        TREATED = "treated", "已就地处置"
        NOT_REACHED = "not-reached", "联系不上患者"

    machine = states.CRITICAL_VALUE

    order = models.ForeignKey(EcgOrder, on_delete=models.PROTECT, related_name="critical_values", db_index=False)
    order_key = models.UUIDField()
    resident = models.ForeignKey(Resident, on_delete=models.PROTECT, related_name="critical_ecgs")
    source = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="critical_ecgs", db_index=False)
    center = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    holder = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", null=True)
    code = models.CharField(max_length=24)
    text_zh = models.CharField(max_length=200)
    text_en = models.CharField(max_length=200, blank=True, default="")
    conclusion_text = models.TextField(blank=True, default="")
    told_user_id = models.BigIntegerField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by_id = models.BigIntegerField(null=True)
    acknowledged_by_name = models.CharField(max_length=80, blank=True, default="")
    action = models.CharField(max_length=16, choices=Action.choices, blank=True, default="")
    action_note = models.CharField(max_length=400, blank=True, default="")
    closed_at = models.DateTimeField(null=True)

    row_access = RowAccess(
        using=_PARTIES
        + " OR holder_id = ANY ((SELECT access_record_reach())::bigint[])"
        + _READERS.format(key="order_key"),
    )
    when_merged = Moves(_("危急值"))

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=~Q(state__in=[states.ACKNOWLEDGED, states.CLOSED])
                | Q(acknowledged_at__isnull=False, acknowledged_by_id__isnull=False, holder__isnull=False),
                name="critical_acknowledged_together",
            ),
            models.CheckConstraint(
                condition=~Q(state=states.CLOSED) | (Q(closed_at__isnull=False) & ~Q(action="")),
                name="critical_closed_with_action",
            ),
            models.UniqueConstraint(
                fields=["order"],
                condition=Q(state__in=[states.TOLD, states.ACKNOWLEDGED]),
                name="critical_one_open_per_order",
            ),
        )
        indexes = (
            models.Index(fields=["source", "-created_at"], name="critical_source"),
            models.Index(fields=["order"], name="critical_order"),
        )

    def sides(self) -> dict[str, int | None]:
        """The unit that was told, the centre that told it, and whoever on the line of duty takes it on."""
        return {"source": self.source_id, "center": self.center_id, "holder": self.holder_id}

    def urgency(self) -> int:
        """Life is at stake."""
        return 3

    @property
    def episode(self) -> str:
        """The ECG's own: whoever is next in line sees the report with it, and nothing else."""
        return f"ecg-order/{self.order_key}"
