"""The code by which a resident's own phone proves presence."""

from django.db import models
from django.utils import timezone

from doorstep.kernel.access.merging import Stays
from doorstep.kernel.database.from_row import FromRow
from doorstep.kernel.database.policies import RowAccess


class PresenceCode(FromRow):
    """Six digits on the resident's own phone that prove presence once, for five minutes; only their index is kept."""

    resident = models.ForeignKey(
        "residents.Resident", on_delete=models.CASCADE, related_name="presence_codes", db_index=False
    )
    index = models.UUIDField()
    made_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    # The unit never reads a code: the database compares.
    row_access = RowAccess(using="access_is_system() OR resident_id = ANY ((SELECT access_self())::bigint[])")
    when_merged = Stays("a code of five minutes belongs to the page that made it")

    class Meta:
        indexes = (models.Index(fields=["resident", "-expires_at"], name="presence_code_live"),)
