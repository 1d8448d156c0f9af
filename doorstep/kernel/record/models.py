"""FHIR R4 resources: the current version with its search keys, and every version ever written."""

import uuid
from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.lookups import GreaterThan
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from doorstep.kernel.access.merging import Moves, Stays
from doorstep.kernel.database.from_row import FromRow
from doorstep.kernel.database.policies import RowAccess
from doorstep.kernel.fhir.exact import Keeping

# record_open and access_may_read are SQL functions: sql/0_open.sql and kernel/access/sql/access.sql.
_READ = (
    "(resident_id IS NULL AND record_open(organization_id, sensitive))"
    " OR access_may_read(resident_id, organization_id, episode, category, sensitive)"
)
# Rows that only functions of the owner read.
_NOBODY = RowAccess(using="false")


class Resource(FromRow):
    """The current version of one resource.

    `ref` is the number of "Type/id"; `keys` and `present` are what searches know of it (search_index.py), beside the tables
    below. `occurred_at` is the time that the timeline goes by. Resources without a resident (organisations, value sets) are open
    to every actor, or when `sensitive` to the unit that wrote them; those with one follow the care relationships. `received`
    says that a hospital system sent it: it alone may change it through the machine interface, what our actions wrote changes by
    actions.
    """

    type = models.CharField(max_length=40)
    fhir_id = models.CharField(max_length=64, default=uuid.uuid4)
    version = models.IntegerField(default=1)
    resident_id = models.BigIntegerField(null=True)
    organization_id = models.BigIntegerField(null=True)
    consortium_id = models.BigIntegerField(null=True)
    episode = models.CharField(max_length=80, blank=True, default="")
    category = models.CharField(max_length=16, blank=True, default="")
    sensitive = models.BooleanField(default=False)
    occurred_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    ref = models.BigIntegerField()
    keys = ArrayField(models.BigIntegerField(), default=list)
    present = ArrayField(models.IntegerField(), default=list)
    # A number for the other rows of the index: while it stays the same, they stay.
    facts = models.BigIntegerField(null=True)
    content = models.JSONField(decoder=Keeping)
    deleted = models.BooleanField(default=False)
    received = models.BooleanField(default=False, db_default=False)

    row_access = RowAccess(
        using=_READ,
        check="access_is_system() OR resident_id IS NULL OR access_may_see(resident_id)",
    )
    when_merged = Moves(_("健康档案条目"), where="type <> 'Patient'")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["type", "fhir_id"], name="resource_identity"),
            models.UniqueConstraint(fields=["ref"], name="resource_ref"),
        )
        indexes = (
            models.Index(fields=["resident_id", "-occurred_at", "id"], name="resource_timeline"),
            # Which resources a resident has, and whose a resource is: searches ask both of the index alone, without reading a row.
            models.Index(fields=["resident_id", "type", "-occurred_at"], include=["id"], name="resource_resident_type"),
            models.Index(fields=["type", "id"], include=["resident_id"], name="resource_type"),
            # What links to a patient, without the Patient's row, which lies on a page of its own.
            models.Index(fields=["id"], include=["ref"], name="resource_patient", condition=models.Q(type="Patient")),
            models.Index(fields=["episode"], name="resource_episode", condition=~models.Q(episode="")),
            models.Index(fields=["type", "updated_at", "id"], name="resource_updated"),
        )


class ResourceVersion(FromRow):
    """One version of a resource as it was written; append-only."""

    resource = models.ForeignKey(Resource, on_delete=models.PROTECT, related_name="versions", db_index=False)
    version = models.IntegerField()
    resident_id = models.BigIntegerField(null=True)
    organization_id = models.BigIntegerField(null=True)
    episode = models.CharField(max_length=80, blank=True, default="")
    category = models.CharField(max_length=16, blank=True, default="")
    sensitive = models.BooleanField(default=False)
    written_at = models.DateTimeField(default=timezone.now)
    written_by_id = models.BigIntegerField(null=True)
    content = models.JSONField()
    deleted = models.BooleanField(default=False, db_default=False)
    # The HTTP method that made it (PUT for our own actions): a history Bundle names it.
    method = models.CharField(max_length=6, default="PUT", db_default="PUT")

    append_only = True
    row_access = RowAccess(using=_READ, check="true")
    when_merged = Stays("append-only history: what was written about the record stays written")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["resource", "version"], name="version_once"),)


class SearchKey(FromRow):
    """A token of a resource: "parameter|form|value" as a number. No role reads this table: searches are functions."""

    pk = models.CompositePrimaryKey("key", "resource_id")
    key = models.BigIntegerField()
    resource_id = models.BigIntegerField()

    app_privileges = ()
    row_access = _NOBODY


class SearchLink(FromRow):
    """A reference of a resource: the parameter, and the number of "Type/id" or of the address it points at."""

    pk = models.CompositePrimaryKey("name", "target", "resource_id")
    name = models.BigIntegerField()
    target = models.BigIntegerField()
    resource_id = models.BigIntegerField()

    app_privileges = ()
    row_access = _NOBODY

    class Meta:
        indexes = (models.Index(fields=["resource_id", "name"], name="search_link_back"),)


class SearchDate(FromRow):
    """A span of time of a resource, half open; open ends are infinite."""

    pk = models.CompositePrimaryKey("resource_id", "name", "place")
    resource_id = models.BigIntegerField()
    name = models.BigIntegerField()
    place = models.SmallIntegerField()
    low = models.DateTimeField()
    high = models.DateTimeField()

    app_privileges = ()
    row_access = _NOBODY

    class Meta:
        indexes = (
            models.Index(fields=["name", "low", "resource_id"], name="search_date_low"),
            models.Index(fields=["name", "high", "resource_id"], name="search_date_high"),
            # Nearly all dates are points or days; what lasts longer is found apart from them (record_between).
            models.Index(
                fields=["name", "high"],
                name="search_date_span",
                condition=models.Q(
                    GreaterThan(
                        models.ExpressionWrapper(models.F("high") - models.F("low"), models.DurationField()),
                        timedelta(days=1),
                    )
                ),
            ),
        )


class SearchAmount(FromRow):
    """A number or quantity: bounds, its unit in three spellings, and the bounds in the canonical UCUM unit.

    `resident_id` is the resource's own (record_amount_owner keeps it so): who sees few residents is answered from theirs.
    """

    pk = models.CompositePrimaryKey("resource_id", "name", "place")
    resource_id = models.BigIntegerField()
    resident_id = models.BigIntegerField(null=True)
    name = models.BigIntegerField()
    place = models.SmallIntegerField()
    low = models.FloatField()
    high = models.FloatField()
    unit = models.BigIntegerField(null=True)
    code = models.BigIntegerField(null=True)
    system_code = models.BigIntegerField(null=True)
    base = models.BigIntegerField(null=True)
    base_low = models.FloatField(null=True)
    base_high = models.FloatField(null=True)

    app_privileges = ()
    row_access = _NOBODY
    when_merged = Stays("the resource's own resident, written by the database when the resource moves")

    class Meta:
        indexes = (
            # Both say whose an amount is, so that those of others are passed over within the index (record_known_amounts).
            models.Index(fields=["name", "low", "resource_id"], include=["resident_id"], name="search_amount_low"),
            models.Index(
                fields=["name", "base", "base_low"],
                include=["resident_id", "resource_id"],
                name="search_amount_base",
                condition=models.Q(base__isnull=False),
            ),
            models.Index(
                fields=["name", "resident_id", "base", "base_low", "resource_id"], name="search_amount_resident"
            ),
            # Spans are few: most amounts are one number.
            models.Index(
                fields=["name", "high", "resource_id"],
                name="search_amount_span",
                condition=models.Q(high__gt=models.F("low")),
            ),
            models.Index(
                fields=["name", "base", "base_high"],
                name="search_amount_base_span",
                condition=models.Q(base_high__gt=models.F("base_low")),
            ),
        )


class SearchString(FromRow):
    """A text as searches compare it, and as it was written; of an address (uri) both are the same.

    `resident_id` as that of an amount: who has a name is known without a look at the Patient.
    """

    pk = models.CompositePrimaryKey("resource_id", "name", "place")
    resource_id = models.BigIntegerField()
    resident_id = models.BigIntegerField(null=True)
    name = models.BigIntegerField()
    place = models.SmallIntegerField()
    norm = models.TextField(db_collation="C")
    text = models.TextField(db_collation="C")

    app_privileges = ()
    row_access = _NOBODY
    when_merged = Stays("the resource's own resident, written by the database when the resource moves")

    class Meta:
        indexes = (
            models.Index(fields=["name", "norm", "resource_id"], include=["resident_id"], name="search_string_norm"),
        )


class SearchWord(FromRow):
    """The words of a code, once however many resources carry it, and the key that these resources have."""

    pk = models.CompositePrimaryKey("name", "norm")
    name = models.BigIntegerField()
    norm = models.TextField(db_collation="C")
    key = models.BigIntegerField()

    app_privileges = ()
    row_access = _NOBODY


class Watch(FromRow):
    """A type of resource that somebody wants to hear of: the writer looks here, so that what nobody waits for costs nothing."""

    type = models.CharField(max_length=40, primary_key=True)

    app_privileges = ("SELECT",)


class BulkExport(FromRow):
    """An export that a hospital system asked for, and how far it is: the type and the last row that are written."""

    class State(models.TextChoices):
        """Where it stands."""

        ACCEPTED = "accepted", "已受理"
        RUNNING = "running", "进行中"
        DONE = "done", "已完成"
        CANCELLED = "cancelled", "已取消"
        FAILED = "failed", "未能完成"
        EXPIRED = "expired", "已过期清除"

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    client = models.CharField(max_length=50)
    organization_id = models.BigIntegerField(null=True)
    request = models.CharField(max_length=2000)
    types = ArrayField(models.CharField(max_length=40))
    # Only these residents' resources; without it all that the hospital may read.
    of_residents = ArrayField(models.BigIntegerField(), null=True)
    of_patients = models.BooleanField(default=False)
    since = models.DateTimeField(null=True)
    # Searches by type: of a type with searches only what one of them finds.
    filters = models.JSONField(default=dict)
    # Why it could not be finished, as its client is told.
    failure = models.CharField(max_length=500, blank=True, default="")
    state = models.CharField(max_length=10, choices=State.choices, default=State.ACCEPTED)
    type_index = models.IntegerField(default=0)
    after = models.BigIntegerField(default=0)
    requested_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    row_access = RowAccess(
        using="access_is_system() OR organization_id = ANY ((SELECT access_record_reach())::bigint[])"
    )


class BulkFile(FromRow):
    """One finished NDJSON file of an export."""

    export = models.ForeignKey(BulkExport, on_delete=models.CASCADE, related_name="files")
    type = models.CharField(max_length=40)
    lines = models.IntegerField()
    body = models.BinaryField()
    # Whose records it holds: each of them learns of it when the export is finished.
    residents = ArrayField(models.BigIntegerField(), default=list)

    # As far as the export itself is the actor's.
    row_access = RowAccess(using="EXISTS (SELECT 1 FROM record_bulkexport e WHERE e.id = export_id)")


class BulkImport(FromRow):
    """NDJSON that a hospital system brought in, and how much of it is written.

    What came through $import waits in pieces; of an operator's file `position` bytes are done. `sweep_after` and `sweep_moved` belong
    to the sweeps over lines that wait for others: the last one looked at, and how many of this sweep could be written.
    """

    class State(models.TextChoices):
        """Where it stands."""

        ACCEPTED = "accepted", "已受理"
        RUNNING = "running", "进行中"
        DONE = "done", "已完成"
        CANCELLED = "cancelled", "已取消"

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    client = models.CharField(max_length=50)
    organization_id = models.BigIntegerField(null=True)
    request = models.CharField(max_length=2000)
    # [{"url": the name by which the sender called it, "type": "" or the type of every line}]
    inputs = models.JSONField(default=list)
    # SHA-256 of an operator's file: the same file goes on where it stood.
    digest = models.CharField(max_length=64, blank=True, default="")
    position = models.BigIntegerField(default=0)
    lines = models.IntegerField(default=0)
    created = models.IntegerField(default=0)
    updated = models.IntegerField(default=0)
    unchanged = models.IntegerField(default=0)
    sweep_after = models.BigIntegerField(default=0)
    sweep_moved = models.IntegerField(default=0)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ACCEPTED)
    requested_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    row_access = RowAccess(
        using="access_is_system() OR organization_id = ANY ((SELECT access_record_reach())::bigint[])"
    )

    class Meta:
        indexes = (models.Index(fields=["client", "digest"], name="import_of_file", condition=~models.Q(digest="")),)


class BulkPiece(FromRow):
    """Lines of an import that nobody has read yet, whole lines of one input; gone with the transaction that wrote them.

    Below zero `input` stands for the residents for whom something follows from the lines (following.py).
    """

    bulk_import = models.ForeignKey(BulkImport, on_delete=models.CASCADE, related_name="pieces")
    input = models.SmallIntegerField()
    first_line = models.IntegerField()
    body = models.BinaryField()

    row_access = RowAccess(using="EXISTS (SELECT 1 FROM record_bulkimport i WHERE i.id = bulk_import_id)")


class BulkLine(FromRow):
    """A line that could not be written, and why; with its text it waits for what it refers to, without it is refused."""

    bulk_import = models.ForeignKey(BulkImport, on_delete=models.CASCADE, related_name="faults", db_index=False)
    input = models.SmallIntegerField()
    number = models.IntegerField()
    # An OperationOutcome as JSON.
    outcome = models.TextField()
    body = models.BinaryField(null=True)

    row_access = RowAccess(using="EXISTS (SELECT 1 FROM record_bulkimport i WHERE i.id = bulk_import_id)")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["bulk_import", "input", "number"], name="line_once"),)
