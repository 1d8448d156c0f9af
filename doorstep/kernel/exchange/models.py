"""Connections, the messages they brought, the codes they use, and how new each thing is that they told us."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils import timezone

from doorstep.kernel.access.encryption import SealedTextField
from doorstep.kernel.access.merging import Stays
from doorstep.kernel.access.models import ApiClient
from doorstep.kernel.database.from_row import FromRow
from doorstep.kernel.database.policies import RowAccess
from doorstep.kernel.exchange.states import MessageState

_OWN = RowAccess(using="access_is_system() OR organization_id = ANY ((SELECT access_reach())::bigint[])")


class Connection(FromRow):
    """One system of one organisation that sends to us; it acts as its own machine account.

    `application` and `facility` are what the sender writes into MSH-3 and MSH-4; `addresses` the networks it may call from (empty: any),
    `certificates` the names one of which its client certificate must carry (empty: whatever the port asks for).
    """

    class Kind(models.TextChoices):
        """How it sends."""

        MLLP = "mllp", "HL7 v2（MLLP）"
        FOLDER = "folder", "文件夹"
        API = "api", "接口上传（FHIR）"

    class Encoding(models.TextChoices):
        """The characters of its messages; AUTO follows MSH-18, then looks at the bytes."""

        AUTO = "auto", "按消息声明（MSH-18）"
        UTF8 = "utf-8", "UTF-8"
        GB18030 = "gb18030", "GB18030"

    class Version(models.TextChoices):
        """The version of HL7 v2 in which the system is written to."""

        V23 = "2.3", "2.3"
        V231 = "2.3.1", "2.3.1"
        V24 = "2.4", "2.4"
        V25 = "2.5", "2.5"
        V251 = "2.5.1", "2.5.1"

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    code = models.SlugField(unique=True)
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.MLLP)
    organization_id = models.BigIntegerField()
    consortium_id = models.BigIntegerField(null=True)
    client = models.OneToOneField(ApiClient, on_delete=models.PROTECT, related_name="connection")
    application = models.CharField(max_length=180, blank=True, default="")
    facility = models.CharField(max_length=180, blank=True, default="")
    addresses = ArrayField(models.CharField(max_length=43), default=list, blank=True)
    certificates = ArrayField(models.CharField(max_length=255), default=list, blank=True, db_default=[])
    encoding = models.CharField(max_length=8, choices=Encoding.choices, default=Encoding.AUTO)
    accepts_training = models.BooleanField(default=False)
    # How the system is written to; AUTO are the characters in which it writes, else UTF-8.
    sends_version = models.CharField(max_length=6, choices=Version.choices, default=Version.V24, db_default="2.4")
    sends_encoding = models.CharField(max_length=8, choices=Encoding.choices, default=Encoding.AUTO, db_default="auto")
    paused = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)
    connected_since = models.DateTimeField(null=True)
    last_heard_at = models.DateTimeField(null=True)
    last_address = models.CharField(max_length=45, blank=True, default="")
    # The first name of the client certificate with which it called last, "" where the port asked for none; and the first few that were shown.
    last_certificate = models.CharField(max_length=255, blank=True, default="", db_default="")
    shown_certificates = ArrayField(models.CharField(max_length=255), default=list, blank=True, db_default=[])

    row_access = _OWN

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["application", "facility"], condition=models.Q(kind="mllp"), name="one_connection_per_sender"
            ),
        )

    def __str__(self) -> str:
        return self.name


class Stranger(FromRow):
    """A sender that no connection knows: it was answered with a rejection, and nothing of its message was kept.

    `reason` is "sender", or "header" for what was no message of HL7 v2 at all and was not answered.
    """

    application = models.CharField(max_length=180, blank=True, default="")
    facility = models.CharField(max_length=180, blank=True, default="")
    address = models.CharField(max_length=45)
    reason = models.CharField(max_length=24)
    count = models.IntegerField(default=1)
    first_at = models.DateTimeField(default=timezone.now)
    last_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["application", "facility", "address", "reason"], name="stranger_once"),
        )


class Refusal(FromRow):
    """A message of a registered sender that was answered with an error or a rejection, or that was cut off: why, sealed as it came.

    It is no message of the store: nothing was worked. `whole` is False where only its first characters are here. The same content refused
    again is counted. It is open until it was taken after all, came again and was taken, or an engineer has put it aside.
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="refusals", db_index=False)
    organization_id = models.BigIntegerField()
    reason = models.CharField(max_length=16)
    place = models.CharField(max_length=16, blank=True, default="")
    type = models.CharField(max_length=40, blank=True, default="")
    control_id = models.CharField(max_length=199, blank=True, default="")
    fingerprint = models.CharField(max_length=64)
    version = models.CharField(max_length=12, blank=True, default="")
    charset = models.CharField(max_length=12)
    size = models.IntegerField()
    whole = models.BooleanField(default=True)
    body = SealedTextField()
    address = models.CharField(max_length=45, blank=True, default="")
    count = models.IntegerField(default=1)
    first_at = models.DateTimeField(default=timezone.now)
    last_at = models.DateTimeField(default=timezone.now)
    settled_at = models.DateTimeField(null=True)
    message = models.ForeignKey(
        "exchange.Message", null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )

    row_access = _OWN

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["connection", "reason", "control_id", "fingerprint"], name="refusal_once"),
            models.CheckConstraint(
                condition=models.Q(message=None) | models.Q(settled_at__isnull=False), name="refusal_taken_is_settled"
            ),
        )
        indexes = (
            models.Index(fields=["connection", "reason", "-last_at"], name="refusal_recent"),
            models.Index(fields=["organization_id", "-id"], name="refusal_listed"),
        )


class Message(FromRow):
    """One message as it came, sealed; `charset` names the characters of the wire (line ends are returns here).

    The same control id with the same content is the same message, however often it comes. `lane` keeps the messages of one
    patient in order. `patient_indexes` are keyed indexes of the numbers that the message names its patient by.
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="messages", db_index=False)
    organization_id = models.BigIntegerField()
    consortium_id = models.BigIntegerField(null=True)
    format = models.CharField(max_length=12)
    type = models.CharField(max_length=40)
    control_id = models.CharField(max_length=199)
    fingerprint = models.CharField(max_length=64)
    version = models.CharField(max_length=12, blank=True, default="")
    charset = models.CharField(max_length=12)
    size = models.IntegerField()
    body = SealedTextField()
    lane = models.SmallIntegerField(default=0)
    patient_indexes = ArrayField(models.UUIDField(), default=list)
    event_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField(default=timezone.now)
    address = models.CharField(max_length=45, blank=True, default="")
    duplicates = models.IntegerField(default=0)
    state = models.CharField(max_length=10, choices=MessageState.choices, default=MessageState.RECEIVED)
    state_at = models.DateTimeField(default=timezone.now)
    attempts = models.SmallIntegerField(default=0)
    replays = models.SmallIntegerField(default=0)
    resident_id = models.BigIntegerField(null=True)
    results = models.JSONField(default=list)  # [[type, id, version], …]
    notes = models.JSONField(default=list)  # [[code, place], …]
    error_kind = models.CharField(max_length=24, blank=True, default="")
    error_place = models.CharField(max_length=40, blank=True, default="")
    error_facts = models.JSONField(default=dict)

    row_access = _OWN
    when_merged = Stays("says for whom a message was taken when it was worked; the wall follows")

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["connection", "control_id", "fingerprint"], name="message_once"),
            models.CheckConstraint(
                condition=~models.Q(state__in=["failed", "waiting"]) | ~models.Q(error_kind=""),
                name="message_failed_says_why",
            ),
        )
        indexes = (
            models.Index(
                fields=["connection", "lane", "id"], condition=models.Q(state="received"), name="message_todo"
            ),
            models.Index(fields=["connection", "state", "-received_at"], name="message_state"),
            models.Index(fields=["organization_id", "-received_at"], name="message_recent"),
            models.Index(fields=["control_id"], name="message_control"),
            GinIndex(fields=["patient_indexes"], name="message_patient"),
        )


class CodeMapping(FromRow):
    """What a code of one sender means in a code system of ours; an empty target is a code that nobody has decided yet."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="mappings", db_index=False)
    organization_id = models.BigIntegerField()
    table = models.CharField(max_length=24)
    local_code = models.CharField(max_length=80)
    local_display = models.CharField(max_length=200, blank=True, default="")
    target_system = models.CharField(max_length=200, blank=True, default="")
    target_code = models.CharField(max_length=60, blank=True, default="")
    target_display = models.CharField(max_length=200, blank=True, default="")
    seen = models.IntegerField(default=0)
    first_seen_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True)
    decided_by_id = models.BigIntegerField(null=True)

    row_access = _OWN

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["connection", "table", "local_code"], name="mapping_once"),
            models.CheckConstraint(
                condition=models.Q(target_code="") | models.Q(decided_at__isnull=False), name="mapping_decided_by_day"
            ),
        )
        indexes = (
            models.Index(fields=["connection", "-seen"], condition=models.Q(target_code=""), name="mapping_open"),
        )


class ThingClock(FromRow):
    """The time of the newest message that was applied to a thing ("Encounter/…"); an older one does not change it."""

    connection = models.ForeignKey(Connection, on_delete=models.PROTECT, related_name="clocks", db_index=False)
    organization_id = models.BigIntegerField()
    thing = models.CharField(max_length=80)  # the reference of its resource
    event_at = models.DateTimeField()
    message_id = models.BigIntegerField()

    row_access = _OWN

    class Meta:
        constraints = (models.UniqueConstraint(fields=["connection", "thing"], name="thing_clock_once"),)
