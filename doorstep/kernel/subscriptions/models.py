"""What a system may subscribe to, its subscriptions, what they matched, and what they were told."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from doorstep.kernel.access.encryption import SealedTextField
from doorstep.kernel.access.models import ApiClient
from doorstep.kernel.database.from_row import FromRow
from doorstep.kernel.database.policies import RowAccess

_OWN = RowAccess(using="access_is_system() OR organization_id = ANY ((SELECT access_reach())::bigint[])")


class Subscriber(FromRow):
    """The rules of one system, set by its engineer: which hosts may be called, and how long is tried.

    `hosts`: "his.example.cn", or with a port; without one only the usual port of https. `attempts` failures in a row stop a
    subscription; the waits between them double from `first_wait` to `longest_wait`. Times are seconds.
    """

    client = models.OneToOneField(ApiClient, on_delete=models.PROTECT, related_name="subscriber")
    organization_id = models.BigIntegerField()
    hosts = ArrayField(models.CharField(max_length=260), default=list, blank=True)
    attempts = models.PositiveSmallIntegerField(default=8)
    first_wait = models.PositiveIntegerField(default=5)
    longest_wait = models.PositiveIntegerField(default=3_600)
    timeout = models.PositiveSmallIntegerField(default=10)
    most_subscriptions = models.PositiveSmallIntegerField(default=20)
    most_waiting = models.PositiveIntegerField(default=10_000)
    most_bytes = models.PositiveIntegerField(default=1_048_576)

    row_access = _OWN

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(attempts__gte=1, first_wait__gte=1, timeout__gte=1)
                & models.Q(longest_wait__gte=models.F("first_wait")),
                name="subscriber_rules_make_sense",
            ),
        )


class Subscription(FromRow):
    """One subscription. `topic` is empty for a criteria of R4; `terms` is the parsed search that record_conditions takes.

    `changed` names elements of which one must differ from the version before; `linked` says that the search looks beyond the
    resource, so that the client's own sight is asked again. `also` are further types that the topic hears of, each as {"type",
    "terms", "changed"}. `resource` is what the client sent, without status and secrets.
    """

    class State(models.TextChoices):
        """hl7.org/fhir/R4/valueset-subscription-status.html."""

        REQUESTED = "requested", _("等待握手")
        ACTIVE = "active", _("运行中")
        ERROR = "error", _("出错停发")
        OFF = "off", _("已关闭")

    class Content(models.TextChoices):
        """How much a notification carries."""

        EMPTY = "empty", _("不含内容")
        ID_ONLY = "id-only", _("只含编号")
        FULL = "full-resource", _("完整资源")
        MESSAGE = "message", _("FHIR 消息")
        HL7_V2 = "hl7v2", _("HL7 v2 消息")

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    client = models.ForeignKey(ApiClient, on_delete=models.PROTECT, related_name="subscriptions", db_index=False)
    organization_id = models.BigIntegerField()
    consortium_id = models.BigIntegerField(null=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.REQUESTED)
    state_at = models.DateTimeField(default=timezone.now)
    error = models.CharField(max_length=400, blank=True, default="")
    topic = models.CharField(max_length=200, blank=True, default="")
    criteria = models.CharField(max_length=2_000)
    type = models.CharField(max_length=40)
    terms = models.JSONField(default=list)
    pairs = models.JSONField(default=list)
    linked = models.BooleanField(default=False)
    changed = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    also = models.JSONField(default=list, blank=True)
    content = models.CharField(max_length=14, choices=Content.choices, default=Content.EMPTY)
    endpoint = models.CharField(max_length=500)
    headers = SealedTextField(blank=True, default="")
    base = models.CharField(max_length=200)
    resource = models.JSONField()
    heartbeat = models.PositiveIntegerField(null=True)
    timeout = models.PositiveIntegerField(null=True)
    most_events = models.PositiveSmallIntegerField(default=1)
    ends_at = models.DateTimeField(null=True)
    last_number = models.BigIntegerField(default=0)
    failures = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True)
    last_sent_at = models.DateTimeField(null=True)
    last_delivered_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    row_access = _OWN

    class Meta:
        indexes = (
            models.Index(fields=["type"], condition=~models.Q(state="off"), name="subscription_listening"),
            models.Index(fields=["client", "-created_at"], name="subscription_client"),
            models.Index(fields=["organization_id", "-created_at"], name="subscription_unit"),
        )

    @property
    def by_topic(self) -> bool:
        """Whether it follows the Backport: notification Bundles, handshake, heartbeat."""
        return bool(self.topic)

    @property
    def greeted(self) -> bool:
        """Whether its receiver knows the Backport's handshake and heartbeat; one of messages knows messages alone."""
        return self.by_topic and not self.written

    @property
    def written(self) -> bool:
        """Whether what is sent is a message that somebody writes (messages.py), not the resource or a notification of it."""
        return self.content in (self.Content.MESSAGE, self.Content.HL7_V2)

    @property
    def is_line(self) -> bool:
        """Whether it is a line to a system that speaks HL7 v2: it is tried until it answers, and passes over what was refused."""
        return self.content == self.Content.HL7_V2


class Match(FromRow):
    """A version of a resource met a subscription's criteria, written in the transaction of the change.

    Not numbered yet: whether the client may see it is asked under the client's own eyes.
    """

    subscription = models.ForeignKey(Subscription, on_delete=models.CASCADE, related_name="matches", db_index=False)
    organization_id = models.BigIntegerField()
    type = models.CharField(max_length=40)
    fhir_id = models.CharField(max_length=64)
    version = models.IntegerField()
    at = models.DateTimeField()

    row_access = _OWN

    class Meta:
        indexes = (models.Index(fields=["subscription", "id"], name="match_in_order"),)


class Notification(FromRow):
    """An event of a subscription: its number has no gap, and it is sent until the receiver has heard or a person decides."""

    class State(models.TextChoices):
        """How far it has come."""

        WAITING = "waiting", _("待发送")
        DELIVERED = "delivered", _("已送达")
        DEAD = "dead", _("未送达")
        DROPPED = "dropped", _("已放弃")
        SKIPPED = "skipped", _("未发送")

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    subscription = models.ForeignKey(
        Subscription, on_delete=models.PROTECT, related_name="notifications", db_index=False
    )
    organization_id = models.BigIntegerField()
    number = models.BigIntegerField()
    type = models.CharField(max_length=40)
    fhir_id = models.CharField(max_length=64)
    version = models.IntegerField()
    at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=200, blank=True, default="")
    error_kind = models.CharField(max_length=12, blank=True, default="")
    tried_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=400, blank=True, default="")
    decided_by_id = models.BigIntegerField(null=True)

    row_access = _OWN

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["subscription", "number"], name="notification_number_once"),
            models.CheckConstraint(
                condition=~models.Q(state="dropped") | ~models.Q(reason=""), name="notification_dropped_says_why"
            ),
        )
        indexes = (
            models.Index(
                fields=["subscription", "number"], condition=models.Q(state="waiting"), name="notification_waiting"
            ),
            models.Index(fields=["subscription", "number"], condition=models.Q(state="dead"), name="notification_dead"),
            models.Index(fields=["subscription", "at"], name="notification_at"),
        )
