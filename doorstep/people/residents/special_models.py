"""Outpatient chronic and special diseases (门诊慢特病) that a resident's insurance has recognised."""

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from doorstep.kernel.access.merging import Moves
from doorstep.kernel.database.from_row import FromRow
from doorstep.kernel.database.policies import RowAccess
from doorstep.people.residents import special

_UNSAID = ", ".join(f"'{code}'" for code in sorted(special.SENSITIVE))


class SpecialDisease(FromRow):
    """One disease with the span for which it was recognised. Nothing is deleted: it ends, or was an error, with the reason."""

    class Source(models.TextChoices):
        """What the line stands on."""

        PAPER = "paper", "出示门诊慢特病认定书"
        VOUCHER = "voucher", "医保电子凭证查询"
        TOLD = "told", "本人或家属陈述"
        IMPORTED = "imported", "随名册导入"

    class Ending(models.TextChoices):
        """Why a line no longer stands."""

        ENDED = "ended", "待遇已终止"
        ERROR = "error", "登记有误"

    key = models.UUIDField(default=uuid.uuid4, editable=False)  # looked up with the resident: no index of its own
    resident = models.ForeignKey(
        "residents.Resident", on_delete=models.CASCADE, related_name="special_diseases", db_index=False
    )
    kind = models.CharField(max_length=12, choices=list(special.KINDS.items()))
    name = models.CharField(max_length=60, blank=True, default="", db_default="")  # of another disease
    since = models.DateField()
    until = models.DateField(null=True)
    source = models.CharField(max_length=12, choices=Source.choices, default=Source.PAPER)
    recorded_at = models.DateTimeField(default=timezone.now)
    recorded_by_name = models.CharField(max_length=80, blank=True, default="", db_default="")
    organization_id = models.BigIntegerField(null=True)
    organization_name = models.CharField(max_length=120, blank=True, default="", db_default="")
    ended_at = models.DateTimeField(null=True)
    ending = models.CharField(max_length=12, choices=Ending.choices, blank=True, default="", db_default="")
    reason = models.CharField(max_length=200, blank=True, default="", db_default="")
    ended_by_name = models.CharField(max_length=200, blank=True, default="", db_default="")

    # Some say a diagnosis that is not said aloud: kept as groups and sensitive entries are.
    row_access = RowAccess(
        using=f"access_may_see(resident_id) AND (kind NOT IN ({_UNSAID}) OR access_may_read_sensitive(resident_id))",
        check="access_may_see(resident_id)",
    )
    when_merged = Moves(_("门诊慢特病"), unless=(("kind", "name", "ended_at"),))

    class Meta:
        constraints = (
            # Each disease stands once; its index finds a resident's lines too.
            models.UniqueConstraint(
                fields=["resident", "kind", "name", "ended_at"], nulls_distinct=False, name="special_once"
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at__isnull=True, ending="")
                | (models.Q(ended_at__isnull=False) & ~models.Q(ending="")),
                name="special_ends_for_a_reason",
            ),
            models.CheckConstraint(
                condition=models.Q(until__isnull=True) | models.Q(until__gte=models.F("since")),
                name="special_ends_after_it_began",
            ),
        )
