"""Accounts, care relationships, proofs of presence and hospital systems that may connect."""

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from doorstep.kernel.access.merging import Moves, Stays
from doorstep.kernel.database.from_row import FromRow
from doorstep.kernel.database.policies import RowAccess


class User(AbstractUser):
    """An account of a person (staff or resident) or of a hospital system."""

    class Kind(models.TextChoices):
        """Who stands behind the account."""

        STAFF = "staff", "工作人员"
        RESIDENT = "resident", "居民"
        CLIENT = "client", "接入系统"

    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.STAFF)
    language = models.CharField(max_length=10, default="zh-hans")
    is_demo = models.BooleanField(default=False)
    current_post_id = models.BigIntegerField(null=True, blank=True)
    # Set while the password is one that a manager has seen: the person must choose an own one before this moment.
    password_temporary_until = models.DateTimeField(null=True, blank=True)


class CareRelationship(FromRow):
    """Why an organisation may see a resident: opened and closed by actions, never by writing a row."""

    class Reason(models.TextChoices):
        """The ground that the resident is told."""

        VISIT = "visit", "就诊"
        CONTRACT = "contract", "家庭医生签约"
        ORDER = "order", "检查申请"
        REFERRAL = "referral", "转诊"
        RETURN = "return", "下转接续"
        CONSULTATION = "consultation", "会诊"
        ESCALATION = "escalation", "危急值升级"
        EMERGENCY = "emergency", "紧急查阅"
        SOURCE = "source", "系统上传"

    class Scope(models.TextChoices):
        """How much of the record it opens."""

        FULL = "full", "完整档案"
        EPISODE = "episode", "本次诊疗"
        ORDER = "order", "本项检查"

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    resident_id = models.BigIntegerField()
    organization_id = models.BigIntegerField()
    consortium_id = models.BigIntegerField(null=True)
    reason = models.CharField(max_length=16, choices=Reason.choices)
    scope = models.CharField(max_length=8, choices=Scope.choices)
    episode = models.CharField(max_length=80, blank=True, default="")
    category = models.CharField(max_length=16, blank=True, default="")
    sensitive = models.BooleanField(default=False)
    opened_at = models.DateTimeField(default=timezone.now)
    closes_at = models.DateTimeField(null=True)
    opened_by_id = models.BigIntegerField(null=True)
    basis = models.CharField(max_length=400, blank=True, default="")

    row_access = RowAccess(
        using="access_is_system() OR organization_id = ANY ((SELECT access_record_reach())::bigint[])"
        " OR resident_id = ANY ((SELECT access_self())::bigint[])"
    )
    app_privileges = ("SELECT",)
    when_merged = Moves(_("查阅依据"), by_owner=True)

    class Meta:
        indexes = (
            models.Index(fields=["resident_id", "organization_id"], name="relationship_resident"),
            models.Index(
                fields=["organization_id", "-opened_at"], include=["resident_id"], name="relationship_organization"
            ),
            # Whom a unit knows, each once, in the order of the index (access_acquainted).
            models.Index(fields=["organization_id", "resident_id"], name="relationship_known"),
            models.Index(fields=["episode"], name="relationship_episode", condition=~models.Q(episode="")),
        )


class FormerResident(FromRow):
    """A record that was merged into another: who is `former_id` now. Written by `access_merge` alone.

    `standing_id` may itself be merged later; the chain is followed to its end.
    """

    former_id = models.BigIntegerField(primary_key=True)
    standing_id = models.BigIntegerField()
    since = models.DateTimeField(default=timezone.now)

    row_access = RowAccess(using="access_is_system() OR access_may_see(standing_id)")
    app_privileges = ("SELECT",)

    class Meta:
        indexes = (models.Index(fields=["standing_id"], name="former_standing"),)


class PresenceProof(FromRow):
    """A resident was there: the full number of the id card and a second fact were given to this user at this unit."""

    resident_id = models.BigIntegerField()
    user_id = models.BigIntegerField()
    organization_id = models.BigIntegerField()
    second_fact = models.CharField(max_length=16)
    proved_at = models.DateTimeField(default=timezone.now)

    row_access = RowAccess(using="access_is_system() OR user_id = (SELECT access_user())")
    app_privileges = ("SELECT",)
    when_merged = Stays("a proof of half an hour says who stood there under which record")

    class Meta:
        indexes = (models.Index(fields=["resident_id", "user_id", "-proved_at"], name="presence_resident_user"),)


class PresenceAttempt(FromRow):
    """A failed try to prove presence; too many in a short time close the door for a while."""

    user_id = models.BigIntegerField()
    number_index = models.UUIDField()
    tried_at = models.DateTimeField(default=timezone.now)
    # At a machine in a hall many people try one after the other: its tries count by themselves, and by where it stands.
    at_terminal = models.BooleanField(default=False, db_default=False)
    organization_id = models.BigIntegerField(null=True)
    # By which second fact: "phone" (name and phone's end) or "code" (of the own phone); "" of a registration.
    second = models.CharField(max_length=8, blank=True, default="", db_default="")
    # Somebody of the unit looked at the machine and opened it again: these tries close it no more.
    set_aside_at = models.DateTimeField(null=True)
    set_aside_by_id = models.BigIntegerField(null=True)

    app_privileges = ()

    class Meta:
        indexes = (
            models.Index(fields=["user_id", "-tried_at"], name="attempt_user"),
            models.Index(fields=["number_index", "-tried_at"], name="attempt_number"),
        )


class BreakGlassReview(FromRow):
    """The look that an emergency opened, to be judged afterwards by an auditor."""

    class Verdict(models.TextChoices):
        """What the auditor found."""

        PENDING = "pending", "待复核"
        JUSTIFIED = "justified", "理由成立"
        UNJUSTIFIED = "unjustified", "理由不成立"

    # Characters; fewer say nothing that could be judged.
    SHORTEST_REASON = 10

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    relationship = models.OneToOneField(CareRelationship, on_delete=models.PROTECT)
    resident_id = models.BigIntegerField()
    organization_id = models.BigIntegerField()
    user_id = models.BigIntegerField()
    reason = models.CharField(max_length=400)
    opened_at = models.DateTimeField(default=timezone.now)
    verdict = models.CharField(max_length=12, choices=Verdict.choices, default=Verdict.PENDING)
    judged_by_id = models.BigIntegerField(null=True)
    judged_at = models.DateTimeField(null=True)
    judgement = models.CharField(max_length=400, blank=True, default="")

    row_access = RowAccess(
        using="access_is_system() OR user_id = (SELECT access_user())"
        " OR resident_id = ANY ((SELECT access_self())::bigint[])"
    )
    when_merged = Moves(_("紧急查阅"))

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(verdict="pending", judged_at__isnull=True)
                | (~models.Q(verdict="pending") & models.Q(judged_at__isnull=False, judged_by_id__isnull=False)),
                name="review_judged_together",
            ),
        )


class SensitiveOpening(FromRow):
    """A person opened the sensitive entries of a resident for a purpose and a while; only `access_unveil` writes it.

    It holds in the session and the post in which it was made, until `closes_at`.
    """

    class Purpose(models.TextChoices):
        """Why; the resident reads it."""

        TREATMENT = "treatment", "本次诊疗需要"
        MEDICATION = "medication", "用药安全核对"
        HANDOVER = "handover", "会诊或转诊"
        FOLLOW_UP = "follow-up", "管理与随访"
        REQUESTED = "requested", "居民本人要求"

    resident_id = models.BigIntegerField()
    user_id = models.BigIntegerField()
    post_id = models.BigIntegerField(null=True)
    organization_id = models.BigIntegerField()
    session = models.CharField(max_length=64)
    purpose = models.CharField(max_length=16, choices=Purpose.choices)
    words = models.CharField(max_length=400)
    opened_at = models.DateTimeField(default=timezone.now)
    closes_at = models.DateTimeField()

    row_access = RowAccess(
        using="access_is_system() OR user_id = (SELECT access_user())"
        " OR resident_id = ANY ((SELECT access_self())::bigint[])"
    )
    app_privileges = ("SELECT",)
    when_merged = Stays("it says whose record was opened then; a merged record is opened anew")

    class Meta:
        indexes = (models.Index(fields=["resident_id", "user_id", "-closes_at"], name="opening_resident_user"),)


class ApiClient(FromRow):
    """A hospital system that may connect; only the hash of its bearer token is kept."""

    name = models.SlugField(unique=True)
    display = models.CharField(max_length=100)
    organization_id = models.BigIntegerField()
    token_hash = models.CharField(max_length=64, unique=True)
    # Public keys (RFC 7517) that sign its assertions, and the scopes that the operator gave it; a bearer token needs neither.
    jwks = models.JSONField(default=dict, blank=True)
    scopes = models.CharField(max_length=2000, blank=True, default="")
    # How it names itself in the JWT of CDS Hooks, and where it says its keys stand; "" for its name, and for no such place.
    issuer = models.CharField(max_length=500, blank=True, default="", db_default="")
    jku = models.CharField(max_length=500, blank=True, default="", db_default="")
    # Whether its keys are read from `jku`, and when they were last asked for there.
    follows_jku = models.BooleanField(default=False, db_default=False)
    keys_read_at = models.DateTimeField(null=True)
    # Whether it may register residents who stand at its hospital's desk, as the registration page does.
    registers = models.BooleanField(default=False, db_default=False)
    issued_at = models.DateTimeField(default=timezone.now)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["issuer"], condition=~models.Q(issuer=""), name="issuer_once"),)


class SeenAssertion(FromRow):
    """A signed assertion that was used: it is not used again while it would still be valid."""

    client = models.ForeignKey(ApiClient, on_delete=models.CASCADE, db_index=False)
    jti = models.CharField(max_length=200)
    expires_at = models.DateTimeField()

    append_only = True

    class Meta:
        constraints = (models.UniqueConstraint(fields=["client", "jti"], name="assertion_once"),)


class App(FromRow):
    """An app of others that is opened from a resident's record (SMART EHR launch); the operator registers it."""

    name = models.SlugField(unique=True)
    display = models.CharField(max_length=60)
    # Where the app waits to be opened with `iss` and `launch`.
    address = models.URLField(max_length=500)
    closed_at = models.DateTimeField(null=True, blank=True)


class Launch(FromRow):
    """One opening of an app from a record: who opened it, for whom, and the tokens that came of it.

    Only the hash of the launch parameter is kept. It is good once and for minutes; the tokens carry its context on.
    """

    app = models.ForeignKey(App, on_delete=models.CASCADE)
    token_hash = models.CharField(max_length=64, unique=True)
    user_id = models.BigIntegerField()
    resident_id = models.BigIntegerField()
    # Keys as the app is told them.
    patient = models.UUIDField()
    encounter = models.UUIDField(null=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    # What carries the context on: the code, then the access token, then the family of the refresh tokens.
    code_id = models.BigIntegerField(null=True)
    access_id = models.BigIntegerField(null=True, db_index=True)
    family = models.UUIDField(null=True, db_index=True)

    row_access = RowAccess(using="access_is_system() OR user_id = (SELECT access_user())")
    when_merged = Stays("an app is told one record; after a merge it is opened again from the one that stands")


class AppAgreement(FromRow):
    """Whose record a resident let an app see: the person chosen on the page of consent, and the tokens that came of it.

    A resident's token without one opens nothing; one whose person the account may no longer act for opens nothing either.
    """

    user_id = models.BigIntegerField()
    client = models.CharField(max_length=100)
    resident_id = models.BigIntegerField()
    agreed_at = models.DateTimeField(default=timezone.now)
    # What carries the choice on: the code, then the access token, then the family of the refresh tokens.
    code_id = models.BigIntegerField(null=True, db_index=True)
    access_id = models.BigIntegerField(null=True, db_index=True)
    family = models.UUIDField(null=True, db_index=True)

    row_access = RowAccess(using="access_is_system() OR user_id = (SELECT access_user())")
    when_merged = Stays("what was agreed to was this record; who that is since a merge is asked when a token is used")

    class Meta:
        indexes = (models.Index(fields=["user_id", "resident_id"], name="agreement_of_account"),)
