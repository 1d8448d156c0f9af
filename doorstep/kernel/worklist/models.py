"""Tasks: who must act next and by when."""

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from doorstep.kernel.access.merging import Moves
from doorstep.kernel.database.from_row import FromRow
from doorstep.kernel.database.policies import RowAccess


class Task(FromRow):
    """One thing that an organisation must do next, with its clock.

    `kind` is "<machine>.<state>"; `item_key` is the key of the thing itself. The row carries its organisation, so a list of
    work never asks the care relationships.
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=60)
    item_id = models.BigIntegerField()
    item_key = models.UUIDField()
    organization_id = models.BigIntegerField()
    consortium_id = models.BigIntegerField(null=True)
    resident_id = models.BigIntegerField(null=True)
    episode = models.CharField(max_length=80, blank=True, default="")
    permission = models.CharField(max_length=60, blank=True, default="")
    assignee_id = models.BigIntegerField(null=True)
    urgency = models.SmallIntegerField(default=0)
    opened_at = models.DateTimeField(default=timezone.now)
    warn_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    warned_at = models.DateTimeField(null=True)
    escalated_at = models.DateTimeField(null=True)
    # When handing it on last failed: it is tried again, and holds nothing else up meanwhile.
    stuck_at = models.DateTimeField(null=True)
    level = models.SmallIntegerField(default=0)
    escalate_to = models.JSONField(default=list)
    closed_at = models.DateTimeField(null=True)
    closed_by_id = models.BigIntegerField(null=True)
    outcome = models.CharField(max_length=40, blank=True, default="")

    row_access = RowAccess(
        # Whoever sees the resident may know with whom the matter lies: a sender opens and closes the receiver's task.
        using="access_is_system() OR organization_id = ANY ((SELECT access_reach())::bigint[])"
        " OR assignee_id = (SELECT access_user()) OR (resident_id IS NOT NULL AND access_may_see(resident_id))",
        check="true",
    )
    when_merged = Moves(_("待办事项"))

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(closed_at__isnull=True) | ~models.Q(outcome=""), name="task_closed_with_outcome"
            ),
        )
        indexes = (
            models.Index(
                fields=["organization_id", "-urgency", "due_at", "id"],
                name="task_open",
                condition=models.Q(closed_at__isnull=True),
            ),
            # Looked at every second: what was handed on already, and is still open, is not read again each time.
            models.Index(
                fields=["due_at"],
                name="task_due",
                condition=models.Q(closed_at__isnull=True, escalated_at__isnull=True),
            ),
            models.Index(
                fields=["warn_at"], name="task_warn", condition=models.Q(closed_at__isnull=True, warned_at__isnull=True)
            ),
            # The thing first: behind the wall the beginning of a kind is no range of an index, and would be looked for kind by kind.
            models.Index(fields=["item_id", "kind"], name="task_of_item"),
            models.Index(
                fields=["stuck_at"],
                name="task_stuck",
                condition=models.Q(closed_at__isnull=True, stuck_at__isnull=False),
            ),
        )


class Delegation(FromRow):
    """During leave somebody else at the same organisation gets this person's assigned tasks."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization_id = models.BigIntegerField()
    from_user_id = models.BigIntegerField()
    to_user_id = models.BigIntegerField()
    starts_on = models.DateField()
    ends_on = models.DateField()
    reason = models.CharField(max_length=200, blank=True, default="")
    # Taken back before the last day.
    ended_at = models.DateTimeField(null=True)

    row_access = RowAccess(using="access_is_system() OR organization_id = ANY ((SELECT access_reach())::bigint[])")

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(ends_on__gte=models.F("starts_on")), name="delegation_ends_after_start"
            ),
            models.CheckConstraint(
                condition=~models.Q(from_user_id=models.F("to_user_id")), name="delegation_to_another"
            ),
        )
