"""Whose records a resident's account opens: which links stand, how one begins at a desk, and what ends it.

A parent acts for a child until the child is of age (民法典第十七条: 18 full years). From that day on the link is void of itself; the
grown-up child has an own account, and may let the parent in again as any adult may: in person at a desk. For an adult who cannot agree
any more a guardian acts, who stands there with the document that says so: a court's judgment, the unit's or civil affairs' appointment,
or a notarised agreement made in good time (民法典第二十四、二十八、三十一、三十三条).
"""

import re

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.kernel.access import agreements
from doorstep.kernel.access import queries as access
from doorstep.kernel.access.actor import Actor, ActorKind, Purpose
from doorstep.kernel.access.models import PresenceProof, User
from doorstep.kernel.access.refusals import Conflict, NotFound, Refused
from doorstep.kernel.access.session import for_purpose
from doorstep.people.residents import queries
from doorstep.people.residents.contacts import KINSHIPS
from doorstep.people.residents.events import AccountLinked, AccountLinkEnded
from doorstep.people.residents.links import GROWN_UP, OWN, living, outgrown
from doorstep.people.residents.models import Resident, ResidentAccount
from doorstep.people.residents.permissions import Permission
from doorstep.people.residents.rules import ADULT_AT, age_on
from doorstep.people.residents.telling import tell
from doorstep.people.workforce.accounts import TEMPORARY_FOR, temporary_password

_USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{3,29}")
# A name in words and a number: four characters and a digit at least.
_PAPER = re.compile(r"^(?=.*\d).{5,}$")


def of_resident(resident: Resident, actor: Actor) -> list[ResidentAccount]:
    """Every account that opens or opened this record, the standing ones first; the caller has checked the actor's ground."""
    with for_purpose(Purpose.SIGN_IN, actor):
        return list(
            ResidentAccount.objects.filter(resident_id=resident.pk)
            .select_related("user")
            .annotate(grown_up=GROWN_UP)
            .order_by(F("ended_at").desc(nulls_first=True), "id")
        )


def own_accounts(*, resident_id: int) -> list[int]:
    """The user ids of the accounts, living or ended, with which the resident signs in; not those of who acts for the resident."""
    return list(ResidentAccount.objects.filter(resident_id=resident_id, relation=OWN).values_list("user_id", flat=True))


def stands(link: ResidentAccount) -> bool:
    """Whether a link of `of_resident` opens the record today."""
    grown_up = link.grown_up  # type: ignore[attr-defined]
    child = link.relation != OWN and link.since < grown_up
    return link.ended_at is None and not (child and grown_up <= timezone.localdate())


@transaction.atomic
def open_account(*, resident: Resident, username: str, actor: Actor) -> str:
    """An own account for an adult who stands at the desk; returns the temporary password, which is shown once.

    Raises Refused at the field.
    """
    queries.check_whole_record(resident_id=resident.pk, permission=Permission.RESIDENT_REGISTER, actor=actor)
    faults = (
        {} if _USERNAME.fullmatch(username) else {"username": _("用户名应为 4 至 30 位字母、数字、点、横线或下划线。")}
    )
    if _age(resident) < ADULT_AT:
        faults["relation"] = _("未满 18 周岁的居民不开通本人账号，请登记监护人的账号代办。")
    if not _present(resident.pk, actor):
        faults["relation"] = _("请先在“核验到场”核验本人，30 分钟内有效，再开通账号。")
    if faults:
        raise Refused(_("账号没有开通，请更正后再提交。"), fields=faults)
    password = temporary_password()
    with for_purpose(Purpose.SIGN_IN, actor):
        if living(timezone.localdate()).filter(resident_id=resident.pk, relation=OWN).exists():
            raise Conflict(_("这位居民已有本人账号。忘记密码时请先结束旧账号，再重新开通。"))
        try:
            with transaction.atomic():
                user = User.objects.create_user(
                    username, password=password, first_name=resident.name[:150], kind=User.Kind.RESIDENT
                )
        except IntegrityError as error:
            taken = _("这个用户名已被使用，请换一个。")
            raise Refused(taken, fields={"username": taken}) from error
        user.password_temporary_until = timezone.now() + TEMPORARY_FOR
        user.save(update_fields=["password_temporary_until"])
        ResidentAccount.objects.create(user=user, resident=resident, relation=OWN, since=timezone.localdate())
    _tell_linked(resident, OWN, username, actor)
    return password


@transaction.atomic
def link(*, resident: Resident, username: str, relation: str, papers: bool, actor: Actor, paper: str = "") -> None:
    """Let the owner of an account act for a resident: for a child by the parent at the desk, for an adult by the adult's own word there
    or, for one who cannot give it, by the guardian with a document.

    relation: what the resident is to the owner. papers: the kinship was read from the household register or a certificate. paper: name
    and number of an adult's document of guardianship. Raises Refused at the field.
    """
    queries.check_whole_record(resident_id=resident.pk, permission=Permission.RESIDENT_REGISTER, actor=actor)
    queries.check_living(resident_id=resident.pk)
    child, paper = _age(resident) < ADULT_AT, paper.strip()
    guarded = child or bool(paper)
    with for_purpose(Purpose.SIGN_IN, actor):
        user = User.objects.filter(username=username, kind=User.Kind.RESIDENT, is_active=True).first()
        own = living(timezone.localdate()).filter(user=user, relation=OWN).first() if user else None
    faults = _faults(relation=relation, papers=papers, paper=paper, child=child)
    if user is None or own is None:
        faults["username"] = _("没有这个居民账号，请核对代办人的用户名；代办人还没有账号的，先为其开通。")
    elif own.resident_id == resident.pk:
        faults["username"] = _("这是居民本人的账号，请填写代办人的用户名。")
    elif not _present(own.resident_id if guarded else resident.pk, actor):
        faults["username" if guarded else "relation"] = (
            _("请先在“核验到场”核验监护人本人，30 分钟内有效。")
            if guarded
            else _("成年居民须本人到场同意：请先在“核验到场”核验这位居民，30 分钟内有效。")
        )
    if faults or user is None:
        raise Refused(_("没有登记，请更正后再提交。"), fields=faults)
    with for_purpose(Purpose.SIGN_IN, actor):
        if living(timezone.localdate()).filter(user=user, resident_id=resident.pk).exists():
            raise Conflict(_("这个账号已经可以替这位居民办理。"))
        # One that a birthday has ended is written as ended before the new one stands.
        ResidentAccount.objects.filter(user=user, resident_id=resident.pk, ended_at__isnull=True).update(
            ended_at=timezone.now(), end_reason=_OF_AGE
        )
        ResidentAccount.objects.create(
            user=user, resident=resident, relation=relation, paper=paper, since=timezone.localdate()
        )
    _tell_linked(resident, relation, username, actor, paper=paper)


def _faults(*, relation: str, papers: bool, paper: str, child: bool) -> dict[str, str]:
    """What is missing or wrong in what was read at the desk, by field."""
    faults: dict[str, str] = {}
    if relation not in KINSHIPS:
        faults["relation"] = _("请选择这位居民是代办人的什么人。")
    if paper and not _PAPER.search(paper):
        faults["paper"] = _("请写明文书名称和文号，例如“民事判决书（2026）民特12号”。")
    if not papers:
        faults["papers"] = (
            _("请核对户口簿、出生医学证明或监护文书后勾选。")
            if child or paper
            else _("请向居民说明代办范围并取得同意后勾选。")
        )
    return faults


@transaction.atomic
def end(*, link_id: int, resident: Resident, reason: str, actor: Actor) -> None:
    """End a link at once: by a registrar with a reason, by the adult whose record it is, or by whoever acts for another.

    Apps that were let in through it read no more. Raises Refused at the field, NotFound for somebody else's link.
    """
    with for_purpose(Purpose.SIGN_IN, actor):
        found = living(timezone.localdate()).select_for_update(of=("self",)).filter(pk=link_id, resident_id=resident.pk)
        link = found.first()
    if link is None:
        raise NotFound()
    if actor.kind is ActorKind.RESIDENT:
        if not may_end(link, resident, actor):
            raise NotFound()
        reason = reason.strip() or (_("代办人不再代办") if link.user_id == actor.user_id else _("居民本人结束"))
    else:
        queries.check_whole_record(resident_id=resident.pk, permission=Permission.RESIDENT_REGISTER, actor=actor)
        if len(reason.strip()) < 2:
            raise Refused(_("请填写原因。"), fields={"reason": _("请写明结束的原因，例如“监护人变更”“本人要求”。")})
    with for_purpose(Purpose.SIGN_IN, actor):
        _end(link, reason.strip()[:200], actor)


def may_end(link: ResidentAccount, resident: Resident, actor: Actor) -> bool:
    """Whether a resident's account may end this link: never the own one, and of others' the adult whose record it is.

    What a document of guardianship says, only a registrar ends, who reads the one that lifts it.
    """
    if link.relation == OWN:
        return False
    if link.user_id == actor.user_id:
        return True
    if link.paper:
        return False
    own = living(timezone.localdate()).filter(user_id=actor.user_id or 0, resident_id=resident.pk, relation=OWN)
    return _age(resident) >= ADULT_AT and own.exists()


def end_at_majority(*, actor: Actor) -> int:
    """Write as ended the links of children who have come of age, whose apps end with it; returns how many there were."""
    day = timezone.localdate()
    grown = ResidentAccount.objects.filter(ended_at__isnull=True).alias(grown_up=GROWN_UP).filter(outgrown(day))
    links = list(
        grown.select_related("resident").select_for_update(of=("self",), skip_locked=True).order_by("id")[:500]
    )
    for link in links:
        _end(link, _OF_AGE, actor)
    return len(links)


_OF_AGE = "已满 18 周岁"


def _end(link: ResidentAccount, reason: str, actor: Actor) -> None:
    link.ended_at, link.ended_by_name, link.end_reason = timezone.now(), actor.display_name[:80], reason
    link.save(update_fields=["ended_at", "ended_by_name", "end_reason"])
    formers = access.formers_of(resident_id=link.resident_id)
    # Where both records of a person had this account, the merge left one link with the former: it ends with the person's.
    ResidentAccount.objects.filter(user_id=link.user_id, resident_id__in=formers, ended_at__isnull=True).update(
        ended_at=link.ended_at, ended_by_name=link.ended_by_name, end_reason=link.end_reason
    )
    for resident_id in (link.resident_id, *formers):
        agreements.end(user_id=link.user_id, resident_id=resident_id)
    tell(
        AccountLinkEnded,
        subject=f"resident/{link.resident.key}",
        subject_id=link.resident_id,
        resident_id=link.resident_id,
        actor=actor,
        facts={"relation": link.relation, "reason": reason},
    )


def _tell_linked(resident: Resident, relation: str, username: str, actor: Actor, *, paper: str = "") -> None:
    tell(
        AccountLinked,
        subject=f"resident/{resident.key}",
        subject_id=resident.pk,
        resident_id=resident.pk,
        actor=actor,
        facts={"relation": relation, "username": username, **({"paper": paper} if paper else {})},
    )


def _age(resident: Resident) -> int:
    return age_on(resident.birth_date, timezone.localdate())


def _present(resident_id: int, actor: Actor) -> bool:
    """Whether this person proved to stand before this actor within the last half hour."""
    fresh = timezone.now() - queries.PRESENCE_LASTS
    return PresenceProof.objects.filter(
        resident_id=resident_id, user_id=actor.user_id or 0, proved_at__gt=fresh
    ).exists()
