"""The days of the national calendar that were entered by hand, since the packaged calendar ends with its last published year."""

from django.db import models
from django.utils import timezone

from doorstep.kernel.database.from_row import FromRow


class CalendarDay(FromRow):
    """One day that departs from the week, as 国务院办公厅 has announced it: a day off, or a weekend day that is worked."""

    class Kind(models.TextChoices):
        """What the day is."""

        HOLIDAY = "holiday", "放假"
        MAKEUP = "makeup", "调休上班"

    day = models.DateField(primary_key=True)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    name = models.CharField(max_length=20)
    source = models.CharField(max_length=200)
    entered_by_id = models.BigIntegerField(null=True)
    entered_at = models.DateTimeField(default=timezone.now)
