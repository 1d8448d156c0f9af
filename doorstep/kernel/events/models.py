"""The event log: what happened, append-only."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from doorstep.kernel.access.merging import Stays
from doorstep.kernel.database.from_row import FromRow
from doorstep.kernel.database.policies import RowAccess


class EventRow(FromRow):
    """One thing that happened. `name` is the event class, `subject` the thing it happened to ("referral/<key>").

    Partitioned by the month of `at` (kernel/database/months.py).
    """

    key = models.UUIDField(default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=60)
    at = models.DateTimeField(db_default=Now())
    subject = models.CharField(max_length=80)
    subject_id = models.BigIntegerField(null=True)
    resident_id = models.BigIntegerField(null=True)
    organization_id = models.BigIntegerField(null=True)
    consortium_id = models.BigIntegerField(null=True)
    user_id = models.BigIntegerField(null=True)
    details = models.JSONField(default=dict)

    append_only = True
    row_access = RowAccess(
        # Who acted may read the act: an event without a resident could not be written with RETURNING otherwise.
        using="access_is_system() OR user_id = (SELECT access_user())"
        " OR (resident_id IS NOT NULL AND access_may_see(resident_id))",
        check="true",
    )
    when_merged = Stays("append-only history: what was written about the record stays written")

    class Meta:
        indexes = (
            models.Index(fields=["subject", "at"], name="event_subject"),
            models.Index(fields=["name", "at"], name="event_name"),
            models.Index(fields=["organization_id", "name", "at"], name="event_organization"),
            models.Index(fields=["resident_id", "-at"], name="event_resident"),
        )


class WaitingEvent(FromRow):
    """An event that its handlers have not reacted to yet; gone in the transaction in which they do (kernel/events/relay.py)."""

    event_id = models.BigIntegerField(primary_key=True)
    # The event's own moment: its log is partitioned by it.
    at = models.DateTimeField()
    handlers = ArrayField(models.CharField(max_length=160))
