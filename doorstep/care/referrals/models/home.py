"""The columns of a referral that say where a patient goes from the hospital, and when the unit near home expects them."""

from django.db import models

from doorstep.kernel.workflow.models import WorkItem


class GoesHome(WorkItem):
    """Where a patient goes from the hospital: an aim of `down_aims.AIMS`, "" until it is handed back.

    `taken_back_at`: when the receiver took over; `back_expected_at`: when the patient arrives there, or is visited at home.
    """

    goes_to = models.CharField(max_length=12, blank=True, default="", db_default="")
    taken_back_at = models.DateTimeField(null=True)
    back_expected_at = models.DateTimeField(null=True)

    # Who goes along with the patient on the way, and how the patient was when they set out.
    escort = models.CharField(max_length=80, blank=True, default="", db_default="")
    leaving = models.CharField(max_length=400, blank=True, default="", db_default="")

    class Meta:
        abstract = True
