"""Files that belong to a resident, kept in the database: they commit, roll back and are backed up with what names them."""

import uuid

from django.db import models
from django.utils import timezone

from doorstep.kernel.access.merging import Stays
from doorstep.kernel.database.from_row import FromRow
from doorstep.kernel.database.policies import RowAccess


class StoredFile(FromRow):
    """One file as it was sent. `fingerprint` is the SHA-256 of what it means, so that the same thing sent twice is recognised."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    resident_id = models.BigIntegerField()
    organization_id = models.BigIntegerField()
    episode = models.CharField(max_length=80, blank=True, default="")
    category = models.CharField(max_length=16, blank=True, default="")
    name = models.CharField(max_length=200)
    media_type = models.CharField(max_length=80)
    size = models.IntegerField()
    sha256 = models.CharField(max_length=64)
    fingerprint = models.CharField(max_length=64, blank=True, default="")
    content = models.BinaryField()
    stored_at = models.DateTimeField(default=timezone.now)
    stored_by_id = models.BigIntegerField(null=True)

    append_only = True
    row_access = RowAccess(
        using="access_may_read(resident_id, organization_id, episode, category, false)",
        check="access_is_system() OR access_may_see(resident_id)",
    )
    when_merged = Stays("append-only; the thing that names the file moves, and the wall follows")

    class Meta:
        indexes = (
            models.Index(fields=["resident_id", "-stored_at"], name="file_resident"),
            models.Index(fields=["fingerprint"], name="file_fingerprint"),
        )
