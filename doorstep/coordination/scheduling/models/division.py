"""How a department's places are divided among origins, and the steps by which unused shares are released upward."""

from datetime import time

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from doorstep.coordination.scheduling.models.clinics import PlaceQuota
from doorstep.kernel.database.from_row import FromRow
from doorstep.people.organizations.models import Department, Organization


class QuotaShare(FromRow):
    """A unit's share of a department's places of one quota, by weight, from a day on.

    The places that templates give to the quota are dealt to the units of the day in proportion to their weights; without
    shares they belong to all units together.
    """

    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="quota_shares", db_index=False)
    quota = models.CharField(max_length=12, choices=PlaceQuota.choices)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="quota_shares", db_index=False
    )
    weight = models.SmallIntegerField()
    since = models.DateField()
    until = models.DateField(null=True)  # the first day on which it no longer holds
    reason = models.CharField(max_length=400, blank=True, default="")
    decided_by_id = models.BigIntegerField(null=True)
    decided_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["department", "quota", "organization", "since"], name="share_once"),
            models.CheckConstraint(condition=Q(weight__range=(1, 1000)), name="share_weight"),
            models.CheckConstraint(condition=Q(until__isnull=True) | Q(until__gt=F("since")), name="share_ends_later"),
        )
        indexes = (models.Index(fields=["organization", "since"], name="share_organization"),)


class QuotaDecision(FromRow):
    """What was decided on a proposal for a department's places of one quota: taken as it was, changed, or refused with a reason.

    `lines` keeps the proposal beside the decision, a dict per unit: name, given, need, proposed, decided, reason.
    """

    class Verdict(models.TextChoices):
        """What became of the proposal."""

        ACCEPTED = "accepted", "采用"
        CHANGED = "changed", "修改后采用"
        REFUSED = "refused", "未采纳"

    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="quota_decisions", db_index=False)
    quota = models.CharField(max_length=12, choices=PlaceQuota.choices)
    since = models.DateField()
    verdict = models.CharField(max_length=8, choices=Verdict.choices)
    reason = models.CharField(max_length=400, blank=True, default="")
    lines = models.JSONField(default=list)
    decided_by_id = models.BigIntegerField(null=True)
    decided_by_name = models.CharField(max_length=60, blank=True, default="")
    decided_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=~Q(verdict="refused") | ~Q(reason=""), name="decision_refused_with_reason"
            ),
        )
        indexes = (models.Index(fields=["department", "-decided_at"], name="decision_department"),)


class SinkStep(FromRow):
    """One step of a hospital's release rule: what nobody took out of `quota` goes to `to_quota` at that hour.

    `to_quota` equal to `quota` opens a unit's own share to all units of the same kind. A hospital without steps follows the
    platform's default rule.
    """

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="sink_steps", db_index=False)
    quota = models.CharField(max_length=12, choices=PlaceQuota.choices)
    to_quota = models.CharField(max_length=12, choices=PlaceQuota.choices)
    days_before = models.SmallIntegerField()
    at = models.TimeField(default=time(16))

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "quota", "to_quota"], name="sink_once"),
            models.CheckConstraint(condition=Q(days_before__range=(0, 60)), name="sink_days"),
        )
