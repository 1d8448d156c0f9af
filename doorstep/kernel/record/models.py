"""FHIR R4 resources: the current version with its search keys, and every version ever written."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from doorstep.kernel.access.merging import Moves, Stays
from doorstep.kernel.database.policies import RowAccess

# record_open and access_may_read are SQL functions: sql/record.sql and kernel/access/sql/access.sql.
_READ = (
    "(resident_id IS NULL AND record_open(organization_id, sensitive))"
    " OR access_may_read(resident_id, organization_id, episode, category, sensitive)"
)


class Resource(models.Model):
    """The current version of one resource.

    `tokens` holds "parameter|system|code" and "parameter|code" for the token, reference and identifier searches; `occurred_at` the
    time that date searches and the timeline go by. Resources without a resident (organisations, value sets) are open to every
    actor, or when `sensitive` to the unit that wrote them; those with one follow the care relationships. `received` says that a
    hospital system sent it: it alone may change it through the machine interface, what our actions wrote changes by actions.
    """

    type = models.CharField(max_length=40)
    fhir_id = models.CharField(max_length=64, default=uuid.uuid4)
    version = models.IntegerField(default=1)
    resident_id = models.BigIntegerField(null=True)
    organization_id = models.BigIntegerField(null=True)
    consortium_id = models.BigIntegerField(null=True)
    episode = models.CharField(max_length=80, blank=True, default="")
    category = models.CharField(max_length=16, blank=True, default="")
    sensitive = models.BooleanField(default=False)
    occurred_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)
    tokens = ArrayField(models.TextField(), default=list)
    content = models.JSONField()
    deleted = models.BooleanField(default=False)
    received = models.BooleanField(default=False, db_default=False)

    row_access = RowAccess(
        using=_READ,
        check="access_is_system() OR resident_id IS NULL OR access_may_see(resident_id)",
    )
    when_merged = Moves(_("健康档案条目"), where="type <> 'Patient'")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["type", "fhir_id"], name="resource_identity"),)
        indexes = (
            models.Index(fields=["resident_id", "-occurred_at", "id"], name="resource_timeline"),
            models.Index(fields=["resident_id", "type", "-occurred_at"], name="resource_resident_type"),
            models.Index(fields=["type", "id"], name="resource_type"),
            models.Index(fields=["episode"], name="resource_episode", condition=~models.Q(episode="")),
            GinIndex(fields=["tokens"], name="resource_tokens"),
        )


class ResourceVersion(models.Model):
    """One version of a resource as it was written; append-only."""

    resource = models.ForeignKey(Resource, on_delete=models.PROTECT, related_name="versions")
    version = models.IntegerField()
    resident_id = models.BigIntegerField(null=True)
    organization_id = models.BigIntegerField(null=True)
    episode = models.CharField(max_length=80, blank=True, default="")
    category = models.CharField(max_length=16, blank=True, default="")
    sensitive = models.BooleanField(default=False)
    written_at = models.DateTimeField(default=timezone.now)
    written_by_id = models.BigIntegerField(null=True)
    content = models.JSONField()
    deleted = models.BooleanField(default=False, db_default=False)
    # The HTTP method that made it (PUT for our own actions): a history Bundle names it.
    method = models.CharField(max_length=6, default="PUT", db_default="PUT")

    append_only = True
    row_access = RowAccess(using=_READ, check="true")
    when_merged = Stays("append-only history: what was written about the record stays written")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["resource", "version"], name="version_once"),)
