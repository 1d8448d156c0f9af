"""What every thing with a state carries, its history, and the keys that make a resend harmless."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from doorstep.kernel.access.merging import Stays
from doorstep.kernel.database.from_row import FromRow
from doorstep.kernel.database.policies import RowAccess
from doorstep.kernel.workflow.machine import Machine

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class WorkItem(FromRow):
    """A thing that moves through the states of its machine; only `workflow.apply` writes `state`.

    A subclass names its `machine`, has a column `resident_id` (or a foreign key `resident`), and answers `sides()`.
    """

    machine: ClassVar[Machine]
    # What its mapping to FHIR reads of other rows: fetched with the row when it is locked.
    read_along: ClassVar[tuple[str, ...]] = ()
    # Whether that mapping reads nothing else that depends on this row: then the row and its traces are one statement.
    shown_by_itself: ClassVar[bool] = False
    # The open block in which this row was locked; set by workflow.actions.
    locked_in: object | None = None

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    consortium_id = models.BigIntegerField(null=True)
    state = models.CharField(max_length=24)
    state_since = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        abstract = True

    def sides(self) -> dict[str, int | None]:
        """The organisation of each side that may act: {"source": 12, "target": 3}."""
        raise LookupError(f"{type(self).__name__} must say who its sides are.")

    def parties(self) -> list[int]:
        """The organisations that may read the thing's history, also after their sight of the resident has ended."""
        return sorted({side for side in self.sides().values() if side is not None})

    def variant(self) -> str:
        """What kind of thing this is where its machine has ways of their own for some ("" for the ways of all)."""
        return ""

    def urgency(self) -> int:
        """How this thing sorts in a list of work: 0 ordinary to 3 life at stake."""
        return 0

    def doer(self) -> int | None:
        """The account of the person whose work it is in this state; None where everybody of the side may do it.

        The task stands in that person's list and, during leave, in the deputy's.
        """
        return None

    @property
    def subject(self) -> str:
        """How events and audit entries call this thing."""
        return f"{self.machine.name}/{self.key}"

    @property
    def seen(self) -> str:
        """What a page keeps of how the thing stood when it was shown: another act since then makes it another."""
        return f"{self.state}.{(self.state_since - _EPOCH) // timedelta(microseconds=1)}"

    @property
    def episode(self) -> str:
        """The episode that a narrow care relationship must name to read of this thing; another thing's where it belongs to one."""
        return self.subject


class Step(FromRow):
    """One row per transition: the history of every machine, append-only."""

    machine = models.CharField(max_length=32)
    item_id = models.BigIntegerField()
    item_key = models.UUIDField()
    resident_id = models.BigIntegerField(null=True)
    verb = models.CharField(max_length=32)
    from_state = models.CharField(max_length=24, blank=True, default="")
    to_state = models.CharField(max_length=24)
    at = models.DateTimeField(db_default=Now())
    user_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=80, blank=True, default="")
    organization_id = models.BigIntegerField(null=True)
    organization_name = models.CharField(max_length=120, blank=True, default="")
    reason = models.CharField(max_length=400, blank=True, default="")
    parties = ArrayField(models.BigIntegerField(), default=list)

    append_only = True
    row_access = RowAccess(
        using="access_is_system() OR organization_id = ANY ((SELECT access_reach())::bigint[])"
        " OR parties && (SELECT access_reach())"
        " OR (resident_id IS NOT NULL AND access_may_see(resident_id))",
        check="true",
    )
    when_merged = Stays("append-only history: what was written about the record stays written")

    class Meta:
        indexes = (
            models.Index(fields=["machine", "item_id", "at"], name="step_item"),
            models.Index(fields=["machine", "to_state", "at"], name="step_state"),
        )


class IdempotencyKey(FromRow):
    """A form or request that was already carried out, and what was answered."""

    key = models.CharField(max_length=80)
    user_id = models.BigIntegerField()
    route = models.CharField(max_length=200)
    status = models.SmallIntegerField(null=True)
    location = models.CharField(max_length=400, blank=True, default="")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (models.UniqueConstraint(fields=["user_id", "key"], name="idempotency_once"),)
