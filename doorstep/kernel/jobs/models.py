"""What keeps a handler from taking effect twice, and the pulse of what must never stand still."""

from django.db import models
from django.db.models.functions import Now

from doorstep.kernel.database.from_row import FromRow


class HandlerEffect(FromRow):
    """This handler has taken effect for this event; written in the same transaction as the effect."""

    event_id = models.BigIntegerField()
    handler = models.CharField(max_length=160)
    at = models.DateTimeField(db_default=Now())

    append_only = True

    class Meta:
        constraints = (models.UniqueConstraint(fields=["event_id", "handler"], name="handler_effect_once"),)


class Pulse(FromRow):
    """When something that must never stand still last went well: the clocks that warn and escalate."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField(db_default=Now())
