"""Audit entries and the seals over them; the application's role can only add."""

from django.db import models
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now

from doorstep.kernel.access.merging import Stays
from doorstep.kernel.database.from_row import FromRow
from doorstep.kernel.database.policies import RowAccess


class AuditEntry(FromRow):
    """Who did or read what, for whom, from where: written in the transaction of the act itself.

    Partitioned by the month of `at` (kernel/database/months.py).
    """

    at = models.DateTimeField(db_default=Now())
    # The transaction's own number: a batch is sealed only when every transaction below its end has finished.
    transaction_number = models.BigIntegerField(db_default=RawSQL("(pg_current_xact_id()::text::bigint)", []))
    action = models.CharField(max_length=60)
    actor_kind = models.CharField(max_length=12)
    user_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=80, blank=True, default="")
    role = models.CharField(max_length=32, blank=True, default="")
    organization_id = models.BigIntegerField(null=True)
    organization_name = models.CharField(max_length=120, blank=True, default="")
    consortium_id = models.BigIntegerField(null=True)
    resident_id = models.BigIntegerField(null=True)
    subject = models.CharField(max_length=120, blank=True, default="")
    basis = models.CharField(max_length=200, blank=True, default="")
    purpose = models.CharField(max_length=32, blank=True, default="")
    address = models.CharField(max_length=64, blank=True, default="")
    request_id = models.CharField(max_length=40, blank=True, default="")
    details = models.JSONField(default=dict)

    append_only = True
    # Anyone may add; the resident reads who looked, staff their own acts, an auditor under the purpose of sealing.
    row_access = RowAccess(
        using="access_is_system() OR resident_id = ANY ((SELECT access_self())::bigint[])"
        " OR user_id = (SELECT access_user())",
        check="true",
    )
    when_merged = Stays("append-only history: what was written about the record stays written")

    class Meta:
        indexes = (
            models.Index(fields=["transaction_number", "id"], name="audit_order"),
            models.Index(
                fields=["resident_id", "-at"], name="audit_resident", condition=models.Q(resident_id__isnull=False)
            ),
            models.Index(fields=["user_id", "-at"], name="audit_user"),
            # An auditor reads the newest of many units: without it every entry of a month is sorted for a page.
            models.Index(fields=["-at", "-id"], name="audit_newest"),
        )


class AuditSeal(FromRow):
    """One sealed batch: entries of the transactions from `from_number` to below `to_number`, chained to the seal before."""

    number = models.BigIntegerField(primary_key=True)
    from_number = models.BigIntegerField()
    to_number = models.BigIntegerField(unique=True)
    entries = models.IntegerField()
    sealed_at = models.DateTimeField(db_default=Now())
    chain = models.BinaryField()

    append_only = True


class AuditSealedEntry(FromRow):
    """The seal of one entry within its batch, so that a changed, missing or moved row can be named."""

    entry_id = models.BigIntegerField(primary_key=True)
    seal_number = models.BigIntegerField()
    position = models.IntegerField()
    digest = models.BinaryField()

    append_only = True

    class Meta:
        indexes = (models.Index(fields=["seal_number", "position"], name="sealed_position"),)
