"""An allergy or intolerance of a resident, or the statement that none is known. FHIR AllergyIntolerance."""

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from doorstep.kernel.access.merging import Moves
from doorstep.kernel.database.from_row import FromRow
from doorstep.kernel.database.policies import RowAccess
from doorstep.people.residents.models import Resident


class Allergy(FromRow):
    """One line of what is known: a substance from the value set (`code`) or in words (`other`), or kind `none`.

    Nothing is deleted: a line that turned out wrong is refuted with the reason, a statement of none ends with the first allergy.
    """

    class Kind(models.TextChoices):
        """An allergy, or that none is known."""

        ALLERGY = "allergy", "过敏"
        NONE = "none", "无已知过敏"

    class Severity(models.TextChoices):
        """How bad a reaction was (FHIR reaction-event-severity)."""

        MILD = "mild", "轻度"
        MODERATE = "moderate", "中度"
        SEVERE = "severe", "重度"

    class Certainty(models.TextChoices):
        """How sure it is (FHIR allergyintolerance-verification)."""

        CONFIRMED = "confirmed", "已确认"
        UNCONFIRMED = "unconfirmed", "疑似"

    class State(models.TextChoices):
        """Whether the line stands."""

        ACTIVE = "active", "有效"
        REFUTED = "refuted", "已否定"
        REPLACED = "replaced", "已被替代"

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    resident = models.ForeignKey(Resident, on_delete=models.PROTECT, related_name="allergies", db_index=False)
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.ALLERGY)
    code = models.CharField(max_length=40, blank=True, default="")
    other = models.CharField(max_length=80, blank=True, default="")
    substance = models.CharField(max_length=120, blank=True, default="")  # the words of the code, or `other`
    category = models.CharField(max_length=12, blank=True, default="")  # FHIR: medication, food, environment, biologic
    reaction = models.CharField(max_length=120, blank=True, default="")
    severity = models.CharField(max_length=8, choices=Severity.choices, blank=True, default="")
    certainty = models.CharField(max_length=12, choices=Certainty.choices, default=Certainty.CONFIRMED)
    state = models.CharField(max_length=8, choices=State.choices, default=State.ACTIVE)
    recorded_at = models.DateTimeField(default=timezone.now)
    recorded_by_id = models.BigIntegerField(null=True)
    recorded_by_name = models.CharField(max_length=80, blank=True, default="")
    organization_id = models.BigIntegerField(null=True)
    organization_name = models.CharField(max_length=120, blank=True, default="")
    ended_at = models.DateTimeField(null=True)
    ended_by_name = models.CharField(max_length=200, blank=True, default="")
    reason = models.CharField(max_length=200, blank=True, default="")

    # Whoever sees the resident sees the allergies, also through a narrow relationship: it is a matter of life.
    row_access = RowAccess(using="access_may_see(resident_id)")
    when_merged = Moves(_("过敏史"), unless=(("kind", "code", "other", "state"),))

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["resident", "kind", "code", "other"],
                condition=models.Q(state="active"),
                name="allergy_once",
            ),
            models.CheckConstraint(
                condition=models.Q(kind="none", substance="") | (models.Q(kind="allergy") & ~models.Q(substance="")),
                name="allergy_has_substance",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="refuted") | (~models.Q(reason="") & models.Q(ended_at__isnull=False)),
                name="allergy_refuted_with_reason",
            ),
        )
        indexes = (models.Index(fields=["resident", "state"], name="allergy_resident"),)
