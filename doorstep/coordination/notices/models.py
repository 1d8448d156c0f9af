"""Notices: what a person, a unit or a resident was told."""

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from doorstep.kernel.access.merging import Moves
from doorstep.kernel.database.from_row import FromRow
from doorstep.kernel.database.policies import RowAccess


class Notice(FromRow):
    """One message to one audience: a user, a unit (perhaps one role of it) or a resident.

    `permission` narrows a unit to those who may act. `kind` names the text, `params` fill it, `link` leads to the thing; `acknowledge_link` leads to where it must be
    acknowledged. `about_id` is the resident whom the thing concerns: the row holds no name, so that a reader learns it only
    through the wall of the residents. A unit's notice is seen once somebody of the unit has seen it.
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    consortium_id = models.BigIntegerField(null=True)
    user_id = models.BigIntegerField(null=True)
    organization_id = models.BigIntegerField(null=True)
    role = models.CharField(max_length=32, blank=True, default="")
    resident_id = models.BigIntegerField(null=True)
    about_id = models.BigIntegerField(null=True)
    kind = models.CharField(max_length=40)
    params = models.JSONField(default=dict)
    link = models.CharField(max_length=200, blank=True, default="")
    acknowledge_link = models.CharField(max_length=200, blank=True, default="")
    # Of a unit: only those who hold this permission are told; "" tells all.
    permission = models.CharField(max_length=60, blank=True, default="", db_default="")
    urgent = models.BooleanField(default=False)
    # Whom the ways out of the house (message, telephone) call first; in the page all of them are called, for nobody knows who looks. "": all.
    first_role = models.CharField(max_length=32, blank=True, default="", db_default="")
    created_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(null=True)
    seen_by_id = models.BigIntegerField(null=True)

    row_access = RowAccess(
        using="access_is_system() OR user_id = (SELECT access_user())"
        " OR organization_id = ANY ((SELECT access_reach())::bigint[])"
        " OR resident_id = ANY ((SELECT access_self())::bigint[])",
        check="true",
    )
    when_merged = Moves(_("通知"))

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(user_id__isnull=False, organization_id__isnull=True, resident_id__isnull=True)
                | models.Q(user_id__isnull=True, organization_id__isnull=False, resident_id__isnull=True)
                | models.Q(user_id__isnull=True, organization_id__isnull=True, resident_id__isnull=False),
                name="notice_to_one_audience",
            ),
        )
        indexes = (
            models.Index(fields=["user_id", "-created_at"], name="notice_user"),
            models.Index(fields=["organization_id", "-created_at"], name="notice_organization"),
            models.Index(fields=["resident_id", "-created_at"], name="notice_resident"),
            models.Index(fields=["organization_id"], name="notice_unseen", condition=models.Q(seen_at__isnull=True)),
        )
