"""The figures of the board of flows as they were last counted."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from doorstep.kernel.database.from_row import FromRow


class KeptBoard(FromRow):
    """The board of one set of units and one period: counted anew every minute while somebody looks at it. Names no resident."""

    scope = models.CharField(max_length=32)  # fingerprint of the units
    reach = ArrayField(models.BigIntegerField())
    period = models.CharField(max_length=8)
    figures = models.JSONField()
    counted_at = models.DateTimeField()
    asked_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["scope", "period"], name="kept_board_once"),)
        indexes = (models.Index(fields=["asked_at"], name="kept_board_asked"),)
