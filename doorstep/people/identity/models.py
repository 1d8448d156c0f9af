"""Merges of two records of one person, and the ledger of every row that moved with them."""

import uuid

from django.db import models
from django.db.models import Q
from django.db.models.functions import Greatest, Least
from django.utils import timezone

from doorstep.kernel.access.encryption import SealedTextField
from doorstep.kernel.access.merging import Stays
from doorstep.kernel.database.from_row import FromRow
from doorstep.kernel.database.policies import RowAccess
from doorstep.kernel.workflow.models import WorkItem
from doorstep.people.identity import states
from doorstep.people.organizations.models import Organization
from doorstep.people.residents.models import Resident


class Merge(FromRow):
    """One merge: `former` was merged into `standing`; undone once `undone_at` is set.

    `choices` says of each group of facts whose value was kept; `before` and `after` hold the columns of `standing` that
    were written, as the table holds them (sealed ones stay sealed). `marks` holds the highest id of every table at that
    moment: what came to the standing record afterwards is told apart by it.
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    consortium_id = models.BigIntegerField(null=True)
    standing = models.ForeignKey(Resident, on_delete=models.PROTECT, related_name="merges", db_index=False)
    former = models.ForeignKey(Resident, on_delete=models.PROTECT, related_name="merged_by")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    reason = models.CharField(max_length=400)
    choices = models.JSONField(default=dict)
    # Codes of the strong differences (`differences.strong`) that a person confirmed one by one.
    confirmed = models.JSONField(default=list, db_default=[])
    # Who had proposed it, where a second person had to agree.
    proposed_by_name = models.CharField(max_length=80, blank=True, default="", db_default="")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    marks = models.JSONField(default=dict)
    merged_at = models.DateTimeField(default=timezone.now)
    merged_by_id = models.BigIntegerField(null=True)
    merged_by_name = models.CharField(max_length=80, blank=True, default="")
    undone_at = models.DateTimeField(null=True)
    undone_by_id = models.BigIntegerField(null=True)
    undone_by_name = models.CharField(max_length=80, blank=True, default="")
    undo_reason = models.CharField(max_length=400, blank=True, default="")

    row_access = RowAccess(
        using="access_is_system() OR (organization_id = ANY ((SELECT access_reach())::bigint[])"
        " AND access_may_see(standing_id))",
        check="access_is_system()",
    )
    when_merged = Stays("the history of merges says who was merged into whom at that time")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["former"], condition=Q(undone_at__isnull=True), name="merged_once"),
            models.CheckConstraint(condition=~Q(former=models.F("standing")), name="merge_of_two"),
            models.CheckConstraint(
                condition=Q(undone_at__isnull=True) | ~Q(undo_reason=""), name="merge_undone_with_reason"
            ),
        )
        indexes = (
            models.Index(fields=["standing", "-merged_at"], name="merge_standing"),
            models.Index(fields=["organization", "-merged_at"], name="merge_organization"),
        )


class MergeProposal(WorkItem):
    """A merge that one person of the records office may not make alone (`differences.takes_two`): a second one agrees or declines."""

    machine = states.MERGE_PROPOSAL

    resident = models.ForeignKey(Resident, on_delete=models.PROTECT, related_name="merge_proposals", db_index=False)
    former = models.ForeignKey(Resident, on_delete=models.PROTECT, related_name="+", db_index=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    choices = models.JSONField(default=dict)
    confirmed = models.JSONField(default=list)
    reason = models.CharField(max_length=400)
    proposed_by_id = models.BigIntegerField(null=True)
    proposed_by_name = models.CharField(max_length=80, blank=True, default="")
    merge = models.ForeignKey(Merge, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)

    row_access = RowAccess(
        using="access_is_system() OR (organization_id = ANY ((SELECT access_reach())::bigint[])"
        " AND access_may_see(resident_id) AND access_may_see(former_id))"
    )
    when_merged = Stays("says which two records were proposed for one")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                Least("resident", "former"),
                Greatest("resident", "former"),
                condition=Q(state="proposed"),
                name="merge_proposed_once",
            ),
            models.CheckConstraint(condition=~Q(former=models.F("resident")), name="merge_proposal_of_two"),
        )

    def sides(self) -> dict[str, int | None]:
        """The unit whose records office proposes and agrees."""
        return {"unit": self.organization_id}


class MovedRow(FromRow):
    """One row that a merge touched: it moved, or (`changed`: column to [before, after]) was changed, or was `made`."""

    class Act(models.TextChoices):
        """What was done to the row."""

        MOVED = "moved", "移到保留档案"
        CHANGED = "changed", "改写"
        MADE = "made", "新增"

    merge = models.ForeignKey(Merge, on_delete=models.CASCADE, related_name="rows", db_index=False)
    table = models.CharField(max_length=64)
    row_id = models.BigIntegerField()
    act = models.CharField(max_length=8, choices=Act.choices, default=Act.MOVED)
    changed = models.JSONField(default=dict)

    row_access = RowAccess(using="access_is_system()")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["merge", "table", "row_id", "act"], name="row_moved_once"),)
        indexes = (models.Index(fields=["table", "row_id"], name="moved_row"),)


class Question(FromRow):
    """One question whether a person out of sight is registered; only the database writes and counts them."""

    user_id = models.BigIntegerField()
    fingerprint = models.UUIDField()
    asked_at = models.DateTimeField(default=timezone.now)
    hit = models.BooleanField()

    app_privileges = ()

    class Meta:
        indexes = (
            models.Index(fields=["user_id", "-asked_at"], name="question_user"),
            models.Index(fields=["fingerprint", "-asked_at"], name="question_fingerprint"),
        )


class LikelyPair(FromRow):
    """Two records that a linkage found to be probably one person, and what a person said of them."""

    class State(models.TextChoices):
        """Whether somebody has decided."""

        OPEN = "open", "待核对"
        MERGED = "merged", "已合并"
        REJECTED = "rejected", "不是同一人"

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    first = models.ForeignKey(Resident, on_delete=models.PROTECT, related_name="+", db_index=False)
    second = models.ForeignKey(Resident, on_delete=models.PROTECT, related_name="+")
    # The units that manage the two: the list asks them, never the care relationships of everybody.
    first_unit = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    second_unit = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    weight = models.FloatField()
    probability = models.FloatField()
    levels = models.JSONField(default=dict)
    automatic = models.BooleanField(default=False)
    state = models.CharField(max_length=12, choices=State.choices, default=State.OPEN)
    found_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True)
    decided_by_id = models.BigIntegerField(null=True)
    decided_by_name = models.CharField(max_length=80, blank=True, default="")

    row_access = RowAccess(
        using="access_is_system() OR (first_unit_id = ANY ((SELECT access_reach())::bigint[])"
        " AND second_unit_id = ANY ((SELECT access_reach())::bigint[])"
        " AND access_may_see(first_id) AND access_may_see(second_id))",
        check="access_is_system() OR (first_unit_id = ANY ((SELECT access_reach())::bigint[])"
        " AND second_unit_id = ANY ((SELECT access_reach())::bigint[]))",
    )
    when_merged = Stays("what was found and decided was about these two records")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["first", "second"], name="pair_once"),
            models.CheckConstraint(condition=Q(first__lt=models.F("second")), name="pair_in_order"),
            models.CheckConstraint(
                condition=Q(state="open", decided_at__isnull=True) | (~Q(state="open") & Q(decided_at__isnull=False)),
                name="pair_decided_at_a_time",
            ),
        )
        indexes = (models.Index(fields=["state", "-weight", "id"], name="pair_by_weight"),)


class IdentityChange(FromRow):
    """Who a resident was before and after a change of name, birth date, sex or number; append-only."""

    resident = models.ForeignKey(Resident, on_delete=models.PROTECT, related_name="identity_changes", db_index=False)
    at = models.DateTimeField(default=timezone.now)
    user_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=80, blank=True, default="")
    organization_id = models.BigIntegerField(null=True)
    reason = models.CharField(max_length=400)
    # JSON of the facts as they were and as they became.
    before = SealedTextField(default="")
    after = SealedTextField(default="")

    append_only = True
    row_access = RowAccess(using="access_may_see(resident_id)")
    when_merged = Stays("append-only history: who the record was thought to be stays written")

    class Meta:
        indexes = (models.Index(fields=["resident", "-at"], name="identity_change"),)


class PatientList(FromRow):
    """A hospital's list of patients that is linked with the index: uploaded, its columns named, checked, linked, reviewed.

    `heads` are the columns of the file, `columns` says which of them is what (`listing.FIELDS`); `content` holds the file's lines
    until they are linked, `faults` what is wrong in which line. `step` of `listing.STEPS` is how far the job has come.
    """

    class Stage(models.TextChoices):
        """How far it has come."""

        UPLOADED = "uploaded", "待对列"
        CHECKED = "checked", "待开始"
        RUNNING = "running", "比对中"
        DONE = "done", "已比对"
        FAILED = "failed", "出错"
        DISCARDED = "discarded", "已删除"

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+", db_index=False)
    consortium_id = models.BigIntegerField(null=True)
    file_name = models.CharField(max_length=200)
    uploaded_at = models.DateTimeField(default=timezone.now)
    uploaded_by_id = models.BigIntegerField(null=True)
    uploaded_by_name = models.CharField(max_length=80, blank=True, default="")
    stage = models.CharField(max_length=12, choices=Stage.choices, default=Stage.UPLOADED)
    heads = models.JSONField(default=list)
    columns = models.JSONField(default=dict)
    content = SealedTextField(default="")
    faults = models.JSONField(default=list)
    rows = models.IntegerField(default=0)
    faulty = models.IntegerField(default=0)
    step = models.SmallIntegerField(default=0)
    # How often the job began: one that takes its worker down with it is not begun for ever.
    tries = models.SmallIntegerField(default=0, db_default=0)
    started_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)

    row_access = RowAccess(using="access_is_system() OR organization_id = ANY ((SELECT access_reach())::bigint[])")

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=~Q(stage="done") | Q(done_at__isnull=False), name="patient_list_done_has_time"
            ),
        )
        indexes = (models.Index(fields=["organization", "-uploaded_at"], name="patient_list_recent"),)


class ListedPatient(FromRow):
    """One line of a hospital's list as it was read (`facts`, JSON)."""

    list = models.ForeignKey(PatientList, on_delete=models.CASCADE, related_name="lines", db_index=False)
    organization_id = models.BigIntegerField()
    row = models.IntegerField()
    facts = SealedTextField()

    row_access = RowAccess(using="access_is_system() OR organization_id = ANY ((SELECT access_reach())::bigint[])")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["list", "row"], name="listed_patient_once"),)


class ListedMatch(FromRow):
    """A resident who may be the one of a line, and what was said of it; whoever may not see the resident sees nothing of it.

    Where the state is linked or confirmed, the hospital's number leads to the resident.
    """

    class State(models.TextChoices):
        """What became of it."""

        OPEN = "open", "待核对"
        LATER = "later", "稍后再定"
        LINKED = "linked", "自动对上"
        CONFIRMED = "confirmed", "人工确认"
        REFUSED = "refused", "不是同一人"

    list = models.ForeignKey(PatientList, on_delete=models.CASCADE, related_name="matches", db_index=False)
    line = models.ForeignKey(ListedPatient, on_delete=models.CASCADE, related_name="matches", db_index=False)
    organization_id = models.BigIntegerField()
    resident = models.ForeignKey(Resident, on_delete=models.PROTECT, related_name="+")
    weight = models.FloatField()
    probability = models.FloatField()
    levels = models.JSONField(default=dict)
    state = models.CharField(max_length=12, choices=State.choices, default=State.OPEN)
    decided_at = models.DateTimeField(null=True)
    decided_by_id = models.BigIntegerField(null=True)
    decided_by_name = models.CharField(max_length=80, blank=True, default="")

    row_access = RowAccess(
        using="access_is_system() OR (organization_id = ANY ((SELECT access_reach())::bigint[])"
        " AND access_may_see(resident_id))"
    )
    when_merged = Stays("what a linkage found and a person said was about this record; the number itself moves")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["line", "resident"], name="listed_match_once"),
            models.UniqueConstraint(
                fields=["line"], condition=Q(state__in=["linked", "confirmed"]), name="listed_match_one_chosen"
            ),
        )
        indexes = (models.Index(fields=["list", "state", "-weight", "id"], name="listed_match_by_weight"),)
