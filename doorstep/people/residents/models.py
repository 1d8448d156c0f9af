"""Residents, their identifiers, households and groups, and the panel by which a unit finds its own."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models.functions import Replace
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from doorstep.kernel.access.encryption import SealedTextField
from doorstep.kernel.access.merging import Moves
from doorstep.kernel.database.from_row import FromRow
from doorstep.kernel.database.policies import RowAccess
from doorstep.people.organizations.models import Organization
from doorstep.people.residents import insurance
from doorstep.people.residents.columns import WordsOf, sound_of
from doorstep.people.residents.presence_models import PresenceCode  # noqa: F401 - Django finds the models of an app here
from doorstep.people.residents.rules import SENSITIVE_GROUPS
from doorstep.people.residents.special_models import SpecialDisease  # noqa: F401 - Django finds the models of an app here

_SEEN = RowAccess(using="access_may_see(resident_id)")
_UNSAID = ", ".join(f"'{code}'" for code in sorted(SENSITIVE_GROUPS))


class Household(FromRow):
    """People who live together at one address."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT)
    address = SealedTextField(default="")
    grid_code = models.CharField(max_length=20, blank=True, default="")
    division_code = models.CharField(max_length=12, blank=True, default="")

    # An address says where a family lives: for the unit that wrote it, and for whoever may see somebody who lives there.
    row_access = RowAccess(
        using="access_is_system() OR organization_id = ANY ((SELECT access_record_reach())::bigint[])"
        " OR EXISTS (SELECT 1 FROM residents_resident r WHERE r.household_id = residents_household.id)",
        check="access_is_system() OR organization_id = ANY ((SELECT access_record_reach())::bigint[])",
    )


class Resident(FromRow):
    """One person, once. Number, phone and address are sealed; the number's index lies in `Identifier`."""

    class Gender(models.TextChoices):
        """FHIR administrative gender; GB/T 2261.1: 1 male, 2 female, 0 unknown, 9 not stated."""

        MALE = "male", "男"
        FEMALE = "female", "女"
        OTHER = "other", "未说明"
        UNKNOWN = "unknown", "未知"

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    consortium_id = models.BigIntegerField(null=True)
    name = models.CharField(max_length=60)
    name_pinyin = models.CharField(max_length=120, blank=True, default="")
    name_initials = models.CharField(max_length=20, blank=True, default="")
    gender = models.CharField(max_length=8, choices=Gender.choices)
    birth_date = models.DateField()
    # Nobody knows yet who this is: the name stands for one, of the birth date only the year is estimated.
    unidentified = models.BooleanField(default=False, db_default=False)
    deceased_on = models.DateField(null=True)
    national_id = SealedTextField(default="")
    # Another document than the national id card: its kind (`documents.KINDS`), its number, the country of a passport.
    document_kind = models.CharField(max_length=16, blank=True, default="", db_default="")
    document_number = SealedTextField(null=True)
    document_country = models.CharField(max_length=3, blank=True, default="", db_default="")
    # Numbers that were the person's before: JSON of [[kind, country, number], …], oldest first.
    former_numbers = SealedTextField(null=True)
    record_number = models.CharField(max_length=20, blank=True, default="")  # given to those without a national id
    phone = SealedTextField(default="")
    address = SealedTextField(default="")
    household = models.ForeignKey(Household, on_delete=models.PROTECT, null=True, related_name="residents")
    relation_to_head = models.CharField(max_length=16, blank=True, default="")
    # Whom to call in an emergency, and whether this person is the guardian (FHIR RelatedPerson).
    contact_name = models.CharField(max_length=60, blank=True, default="", db_default="")
    contact_relation = models.CharField(max_length=16, blank=True, default="", db_default="")
    contact_phone = SealedTextField(null=True)
    contact_is_guardian = models.BooleanField(default=False, db_default=False)
    grid_code = models.CharField(max_length=20, blank=True, default="")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="residents")
    created_at = models.DateTimeField(default=timezone.now)

    row_access = RowAccess(
        using="access_may_see(id)",
        check="access_is_system() OR access_may_see(id) OR organization_id = ANY ((SELECT access_reach())::bigint[])",
    )

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(deceased_on__isnull=True) | models.Q(deceased_on__gte=models.F("birth_date")),
                name="resident_dies_after_birth",
            ),
        )
        indexes = (
            models.Index(fields=["birth_date"], name="resident_born"),
            # Who has one: it finds somebody without any other number.
            models.Index(fields=["record_number"], condition=~models.Q(record_number=""), name="resident_record"),
        )

    def __str__(self) -> str:
        return self.name


class Identifier(FromRow):
    """A number by which a resident is known: national id, phone, health card, a hospital's own number."""

    class Kind(models.TextChoices):
        """What kind of number."""

        NATIONAL_ID = "national-id", "居民身份证号"
        PHONE = "phone", "电话"
        HEALTH_CARD = "health-card", "电子健康卡"
        RECORD = "record", "健康档案编号"
        PASSPORT = "passport", "护照"  # `system` holds the country that issued it
        HMT_PERMIT = "hmt-permit", "港澳台居民居住证"
        FOREIGN_PERMIT = "foreign-permit", "外国人永久居留身份证"
        HOSPITAL = "hospital", "院内患者号"
        PHONE_PROOF = "phone-proof", "姓名与电话后四位"  # for the proof of presence; only its index is kept
        MOTHER_ID = "mother-id", "母亲身份证号"  # a child that has no number yet
        OLD_ID = "old-id", "原居民身份证号"  # changed: it still finds its holder
        OLD_DOCUMENT = "old-document", "原其他证件号"

    resident = models.ForeignKey(Resident, on_delete=models.CASCADE, related_name="identifiers")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    system = models.CharField(max_length=120, blank=True, default="")
    index = models.UUIDField()
    live = models.BooleanField(
        default=True
    )  # False once the number was withdrawn, or its holder came in dead by a file

    row_access = RowAccess(
        using="access_may_see(resident_id)",
        check="access_is_system() OR access_may_see(resident_id)",
    )
    when_merged = Moves(_("号码"), where="kind NOT IN ('phone', 'phone-proof')")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["index"],
                condition=models.Q(kind__in=("national-id", "old-id"), live=True),
                name="one_living_resident_per_national_id",
            ),
            models.UniqueConstraint(
                fields=["index"],
                condition=models.Q(kind="mother-id", live=True),
                name="one_child_per_mother_and_birth",
            ),
            models.UniqueConstraint(
                fields=["index", "system"],
                condition=models.Q(kind__in=("passport", "hmt-permit", "foreign-permit", "old-document"), live=True),
                name="one_living_resident_per_document",
            ),
        )
        indexes = (models.Index(fields=["index", "kind"], name="identifier_index"),)


class Group(FromRow):
    """A key group (重点人群) that a resident belongs to, from a day to a day; `code` is one of `rules.GROUPS`."""

    resident = models.ForeignKey(Resident, on_delete=models.CASCADE, related_name="groups", db_index=False)
    code = models.CharField(max_length=24)
    since = models.DateField()
    until = models.DateField(null=True)

    # Some groups say a diagnosis that is not said aloud (rules.SENSITIVE_GROUPS): the database keeps them as it keeps sensitive entries.
    row_access = RowAccess(
        using=f"access_may_see(resident_id) AND (code NOT IN ({_UNSAID}) OR access_may_read_sensitive(resident_id))",
        check="access_may_see(resident_id)",
    )
    when_merged = Moves(_("重点人群"), unless=(("code", "since"), ("code", "until")))

    class Meta:
        constraints = (models.UniqueConstraint(fields=["resident", "code", "since"], name="group_once"),)


class PanelEntry(FromRow):
    """A resident on the panel of a unit: what its search looks through. Opened by a visit, a contract or a task."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="panel", db_index=False)
    resident = models.ForeignKey(Resident, on_delete=models.CASCADE, related_name="panels")
    name = models.CharField(max_length=60)
    pinyin = models.CharField(max_length=120, blank=True, default="")
    initials = models.CharField(max_length=20, blank=True, default="")
    since = models.DateField()
    sound = models.GeneratedField(
        expression=sound_of("pinyin"), output_field=models.CharField(max_length=120), db_persist=True
    )
    # The pinyin in one run, as people type it.
    run = models.GeneratedField(
        expression=Replace("pinyin", models.Value(" "), models.Value("")),
        output_field=models.CharField(max_length=120),
        db_persist=True,
    )
    # Any word of a name in Latin letters may be the surname: they are few, and looked through one by one.
    words = models.GeneratedField(expression=WordsOf("name"), output_field=models.TextField(), db_persist=True)

    row_access = RowAccess(
        using="access_is_system() OR organization_id = ANY ((SELECT access_record_reach())::bigint[])"
    )
    when_merged = Moves(_("名册"), unless=(("organization_id",),))

    class Meta:
        constraints = (models.UniqueConstraint(fields=["organization", "resident"], name="panel_once"),)
        indexes = (
            models.Index(fields=["organization", "name"], name="panel_name"),
            models.Index(fields=["organization", "initials"], name="panel_initials"),
            models.Index(fields=["organization", "sound"], name="panel_sound"),
            models.Index(fields=["organization", "run"], name="panel_run"),
            models.Index(fields=["organization"], condition=models.Q(words__isnull=False), name="panel_words"),
        )


class ResidentAccount(FromRow):
    """Whose records a resident's account may open: the own one, and those the person acts for (child, parent).

    `relation` is what the resident is to the account's owner. `account_links.living` says which of them stand today.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="resident_links", db_index=False
    )
    resident = models.ForeignKey(Resident, on_delete=models.CASCADE, related_name="accounts")
    relation = models.CharField(max_length=16, default="self")
    # The document that makes the owner the guardian of an adult; empty for a child and for an adult who agreed in person.
    paper = models.CharField(max_length=200, blank=True, default="", db_default="")
    since = models.DateField()
    ended_at = models.DateTimeField(null=True)
    ended_by_name = models.CharField(max_length=80, blank=True, default="", db_default="")
    end_reason = models.CharField(max_length=200, blank=True, default="", db_default="")

    row_access = RowAccess(using="access_is_system() OR user_id = (SELECT access_user())", check="access_is_system()")
    # One that ended keeps none that stands from moving.
    when_merged = Moves(_("居民账号"), unless=(("user_id", "ended_at"),))

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["user", "resident"], condition=models.Q(ended_at__isnull=True), name="account_link_stands_once"
            ),
        )


class ImportBatch(FromRow):
    """A file of residents that a unit uploaded: what was found in it, and what was taken over."""

    class Stage(models.TextChoices):
        """How far it has come."""

        CHECKED = "checked", "待确认"
        DONE = "done", "已导入"
        DISCARDED = "discarded", "已放弃"

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="import_batches", db_index=False
    )
    consortium_id = models.BigIntegerField(null=True)
    file_name = models.CharField(max_length=200)
    stage = models.CharField(max_length=12, choices=Stage.choices, default=Stage.CHECKED)
    uploaded_by_id = models.BigIntegerField(null=True)  # none: an operator at the terminal
    uploaded_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True)
    rows = models.IntegerField()
    faulty = models.IntegerField()
    taken = models.IntegerField(default=0)
    # The rows as they were read, and the faults, as JSON; emptied when the batch is done or discarded.
    content = SealedTextField(default="")
    faults = models.JSONField(default=list)

    row_access = RowAccess(using="access_is_system() OR organization_id = ANY ((SELECT access_reach())::bigint[])")

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=~models.Q(stage="done") | models.Q(done_at__isnull=False), name="import_done_has_time"
            ),
        )
        indexes = (models.Index(fields=["organization", "-uploaded_at"], name="import_recent"),)


class Death(FromRow):
    """The record of a death: when, from which source, by whom. A mistaken one is revoked with a reason and stays."""

    class Source(models.TextChoices):
        """What the record stands on."""

        CERTIFICATE = "certificate", "《居民死亡医学证明（推断）书》"
        POLICE = "police", "公安、司法部门证明"
        FUNERAL = "funeral", "殡葬部门火化证明"
        VILLAGE = "village", "村（居）委会报告"
        FAMILY = "family", "家属告知"
        IMPORTED = "imported", "随名册导入"

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    resident = models.ForeignKey(Resident, on_delete=models.CASCADE, related_name="deaths")
    died_on = models.DateField()
    source = models.CharField(max_length=12, choices=Source.choices)
    certificate = models.CharField(max_length=40, blank=True, default="")
    note = models.CharField(max_length=400, blank=True, default="")
    recorded_at = models.DateTimeField(default=timezone.now)
    recorded_by_id = models.BigIntegerField(null=True)
    recorded_by_name = models.CharField(max_length=80, blank=True, default="")
    organization_id = models.BigIntegerField(null=True)
    organization_name = models.CharField(max_length=120, blank=True, default="")
    revoked_at = models.DateTimeField(null=True)
    revoked_by_id = models.BigIntegerField(null=True)
    revoked_by_name = models.CharField(max_length=120, blank=True, default="")
    revoke_reason = models.CharField(max_length=400, blank=True, default="")

    row_access = _SEEN
    when_merged = Moves(_("死亡登记"), unless=(("revoked_at",),))

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["resident"], condition=models.Q(revoked_at__isnull=True), name="one_death_of_a_resident"
            ),
            models.CheckConstraint(
                condition=models.Q(revoked_at__isnull=True, revoke_reason="")
                | (models.Q(revoked_at__isnull=False) & ~models.Q(revoke_reason="")),
                name="death_revoked_with_reason",
            ),
        )


class Insurance(FromRow):
    """How a resident's care is paid: one basic kind (or none, 自费) at a time, and a commercial policy beside it.

    Nothing is deleted: a line ends when another takes its place, when the cover ends, or as an error, with the reason.
    """

    class Source(models.TextChoices):
        """What the line stands on."""

        VOUCHER = "voucher", "出示医保电子凭证或社保卡"
        TOLD = "told", "本人或家属陈述"
        IMPORTED = "imported", "随名册导入"

    class Ending(models.TextChoices):
        """Why a line no longer stands."""

        REPLACED = "replaced", "已变更"
        ENDED = "ended", "保障已终止"
        ERROR = "error", "登记有误"

    key = models.UUIDField(default=uuid.uuid4, editable=False)  # looked up with the resident: no index of its own
    resident = models.ForeignKey(Resident, on_delete=models.CASCADE, related_name="insurances", db_index=False)
    kind = models.CharField(max_length=12, choices=list(insurance.KINDS.items()))
    is_basic = models.GeneratedField(
        expression=models.ExpressionWrapper(
            models.Q(kind__in=sorted(insurance.BASIC)), output_field=models.BooleanField()
        ),
        output_field=models.BooleanField(),
        db_persist=True,
    )
    place = models.CharField(max_length=60, blank=True, default="", db_default="")  # 统筹区
    insurer = models.CharField(max_length=60, blank=True, default="", db_default="")
    since = models.DateField(null=True)
    until = models.DateField(null=True)
    source = models.CharField(max_length=12, choices=Source.choices, default=Source.TOLD)
    recorded_at = models.DateTimeField(default=timezone.now)
    recorded_by_name = models.CharField(max_length=80, blank=True, default="", db_default="")
    organization_id = models.BigIntegerField(null=True)
    organization_name = models.CharField(max_length=120, blank=True, default="", db_default="")
    ended_at = models.DateTimeField(null=True)
    ending = models.CharField(max_length=12, choices=Ending.choices, blank=True, default="", db_default="")
    reason = models.CharField(max_length=200, blank=True, default="", db_default="")
    ended_by_name = models.CharField(max_length=200, blank=True, default="", db_default="")

    row_access = _SEEN
    when_merged = Moves(_("医保登记"), unless=(("is_basic", "ended_at"),))

    class Meta:
        constraints = (
            # One line of each sort stands; its index finds a resident's lines too.
            models.UniqueConstraint(
                fields=["resident", "is_basic", "ended_at"], nulls_distinct=False, name="insurance_one_standing"
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at__isnull=True, ending="")
                | (models.Q(ended_at__isnull=False) & ~models.Q(ending="")),
                name="insurance_ends_for_a_reason",
            ),
            models.CheckConstraint(
                condition=models.Q(until__isnull=True)
                | models.Q(since__isnull=True)
                | models.Q(until__gte=models.F("since")),
                name="insurance_ends_after_it_began",
            ),
        )
