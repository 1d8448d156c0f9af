"""Who works where: hiring, posts from a day to a day, title and licence. Accounts are in `accounts`.

A manager acts on units within reach and gives the roles that the matrix lets the own role give; never to oneself, and never
to somebody who also holds a post out of reach: whoever renews a password may become its holder.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.encryption import blind_index
from doorstep.kernel.access.refusals import Conflict, NotFound, NotPermitted, Refused
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.events import actions as events
from doorstep.kernel.events.event import Event
from doorstep.kernel.record import actions as record
from doorstep.people.organizations.models import Department, Organization
from doorstep.people.workforce import accounts, queries
from doorstep.people.workforce.events import PostEnded, PostGiven, PractitionerChanged, PractitionerHired
from doorstep.people.workforce.models import Post, Practitioner
from doorstep.people.workforce.permissions import Permission
from doorstep.people.workforce.published import practitioner_resource, role_resource
from doorstep.people.workforce.role_names import name_of, role_of
from doorstep.people.workforce.rules import clash, may_give

LICENCE_LENGTH = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a practitioner besides name and number: as printed on certificate and title."""

    phone: str = ""
    licence_number: str = ""
    licence_scope: str = ""
    title: str = ""
    specialty: str = ""
    is_expert: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPractitioner:
    """A person to be hired. With a `national_id` that is known already the person gets a second post, and no second account."""

    name: str
    gender: str
    username: str
    national_id: str = ""
    facts: Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPost:
    """A role at a unit from a day; without `ends_on` (its last day) it has no end."""

    organization_id: int
    role: str
    starts_on: date
    ends_on: date | None = None
    department_id: int | None = None


@dataclass(frozen=True, slots=True)
class Hired:
    """Who was hired; `password` is shown once, "" for somebody who has an account already."""

    practitioner: Practitioner
    password: str


@transaction.atomic
def hire(*, new: NewPractitioner, post: NewPost, actor: Actor) -> Hired:
    """Give somebody a first post and an account with a temporary password; raises Refused with a sentence per field."""
    actor.check(Permission.WORKFORCE_MANAGE)
    _check_post(post, held=(), actor=actor)
    known = queries.by_number(new.national_id) if new.national_id else None
    if known is not None:
        if known.name != new.name.strip():
            sentence = _("这个身份证号已登记在另一姓名下，请核对身份证。")
            raise Refused(_("身份证号与姓名不符。"), fields={"national_id": sentence})
        give_post(practitioner=known, post=post, actor=actor)
        return Hired(known, "")
    faults = _facts_faults(new.facts)
    if not new.name.strip():
        faults["name"] = _("请填写姓名，与身份证一致。")
    if faults:
        raise Refused(_("有内容需要更正，没有保存。"), fields=faults)
    account = accounts.make_account(username=new.username, display=new.name.strip(), actor=actor)
    person = Practitioner.objects.create(
        user=account.user,
        name=new.name.strip()[:40],
        gender=new.gender,
        national_id=new.national_id,
        national_id_index=blind_index("national-id", new.national_id) if new.national_id else None,
    )
    _write_facts(person, new.facts)
    _insert(person, post, actor)
    _tell(PractitionerHired, person, actor, organization_id=post.organization_id, role=post.role)
    return Hired(person, account.password)


@transaction.atomic
def give_post(*, practitioner: Practitioner, post: NewPost, actor: Actor) -> Post:
    """Give a post besides those that are held; raises Refused at the field, Conflict when the same one runs already."""
    actor.check(Permission.WORKFORCE_MANAGE)
    if practitioner.user_id is not None and practitioner.user_id == actor.user_id:
        raise Refused(_("不能给自己增加岗位，请由上级管理者办理。"))
    _check_post(post, held=queries.roles_held(practitioner_id=practitioner.pk), actor=actor)
    made = _insert(practitioner, post, actor)
    _tell(PostGiven, practitioner, actor, organization_id=post.organization_id, role=post.role)
    return made


@transaction.atomic
def end_post(*, post: Post, last_day: date, reason: str, actor: Actor) -> Post:
    """Let a post end after its last day, with the reason; the row stays as history."""
    actor.check(Permission.WORKFORCE_MANAGE)
    if not actor.reaches(post.organization_id):
        raise NotFound()
    if post.practitioner.user_id == actor.user_id and actor.user_id is not None:
        raise Refused(_("不能结束自己的岗位，请由上级管理者办理。"))
    _check_gives(post.organization_id, post.role, actor)
    if not reason.strip():
        raise Refused(_("请填写原因。"), fields={"reason": _("请写明离岗原因，例如“调离”“退休”。")})
    if last_day < post.period.lower:
        raise Refused(
            _("日期有误。"),
            fields={"last_day": _("最后一天不能早于上岗日 %(day)s。") % {"day": post.period.lower.isoformat()}},
        )
    if post.period.upper is not None and post.period.upper <= timezone.localdate():
        raise Conflict(_("这个岗位已经结束，请刷新后查看。"))
    post.period = DateRange(post.period.lower, last_day + timedelta(days=1))
    try:
        with transaction.atomic():
            post.save(update_fields=["period"])
    except IntegrityError as error:
        raise Refused(_("日期有误。"), fields={"last_day": _("与另一段同样的岗位重叠，请核对日期。")}) from error
    _tell(
        PostEnded, post.practitioner, actor, organization_id=post.organization_id, role=post.role, reason=reason.strip()
    )
    return post


@transaction.atomic
def change(*, practitioner: Practitioner, facts: Facts, actor: Actor) -> Practitioner:
    """Change title, specialty, licence and phone of somebody whose posts are all within reach."""
    accounts.check_manages(practitioner, actor)
    faults = _facts_faults(facts)
    if faults:
        raise Refused(_("有内容需要更正，没有保存。"), fields=faults)
    _write_facts(practitioner, facts)
    _tell(PractitionerChanged, practitioner, actor, organization_id=actor.organization_id)
    return practitioner


def givable(*, organization_id: int, actor: Actor) -> list[str]:
    """The roles that the actor may give at a unit, in the order of the matrix; none where the unit is out of reach."""
    if not actor.may(Permission.WORKFORCE_MANAGE) or not actor.reaches(organization_id):
        return []
    own = organization_id == actor.organization_id
    giver = role_of(actor.role)
    return [role.key for role in queries.all_roles() if may_give(giver, role, own_unit=own)]


def may_end(post: Post, actor: Actor) -> bool:
    """Whether the actor may let this post end: one that runs, within reach, not an own one, and of a role to give."""
    own_unit = post.organization_id == actor.organization_id
    running = post.period.upper is None or post.period.upper > timezone.localdate()
    mine = post.practitioner.user_id is not None and post.practitioner.user_id == actor.user_id
    may = may_give(role_of(actor.role), role_of(post.role), own_unit=own_unit)
    return running and not mine and may and actor.reaches(post.organization_id)


def _check_post(post: NewPost, *, held: tuple[str, ...], actor: Actor) -> None:
    if not actor.reaches(post.organization_id):
        raise NotFound()
    _check_gives(post.organization_id, post.role, actor)
    found: dict[str, str] = {}
    unit = Organization.objects.filter(id=post.organization_id).first()
    if unit is None or (unit.closed_on is not None and unit.closed_on <= post.starts_on):
        found["organization"] = _("这个单位在上岗日已停办，请选择其他单位。")
    if post.ends_on is not None and post.ends_on < post.starts_on:
        found["ends_on"] = _("结束日期不能早于开始日期。")
    if post.department_id is not None and not _has_department(post):
        found["department"] = _("请从本单位的科室中选择。")
    apart = clash(post.role, held)
    if apart:
        found["role"] = _("此人已任“%(held)s”，按职责分离要求不能同时任“%(wanted)s”。") % {
            "held": name_of(apart),
            "wanted": name_of(post.role),
        }
    if found:
        raise Refused(_("岗位有内容需要更正，没有保存。"), fields=found)


def _check_gives(organization_id: int, role: str, actor: Actor) -> None:
    own = organization_id == actor.organization_id
    if not actor.is_system and not may_give(role_of(actor.role), role_of(role), own_unit=own):
        raise NotPermitted(permission=Permission.WORKFORCE_MANAGE)


def _has_department(post: NewPost) -> bool:
    return Department.objects.filter(id=post.department_id or 0, organization_id=post.organization_id).exists()


def _insert(person: Practitioner, post: NewPost, actor: Actor) -> Post:
    end = post.ends_on + timedelta(days=1) if post.ends_on else None
    try:
        with transaction.atomic():
            return Post.objects.create(
                practitioner=person,
                organization_id=post.organization_id,
                department_id=post.department_id,
                role=post.role,
                period=DateRange(post.starts_on, end),
            )
    except IntegrityError as error:
        sentence = _("此人在这个单位已有同样的岗位，时间重叠，请核对日期。")
        raise Conflict(sentence, fields={"role": sentence}) from error


def _write_facts(person: Practitioner, facts: Facts) -> None:
    person.phone = facts.phone
    person.licence_number = facts.licence_number
    person.licence_scope = facts.licence_scope.strip()[:40]
    person.title = facts.title
    person.specialty = facts.specialty.strip()[:40]
    person.is_expert = facts.is_expert
    person.save(update_fields=["phone", "licence_number", "licence_scope", "title", "specialty", "is_expert"])


def _facts_faults(facts: Facts) -> dict[str, str]:
    found: dict[str, str] = {}
    if facts.phone and not (facts.phone.isascii() and facts.phone.isdecimal() and 7 <= len(facts.phone) <= 12):
        found["phone"] = _("电话应为 11 位手机号或带区号的座机号，只填数字。")
    number = facts.licence_number
    if number and not (number.isascii() and number.isalnum() and len(number) == LICENCE_LENGTH):
        found["licence_number"] = _("执业证书编码应为 15 位，请按证书填写。")
    return found


def _publish(person: Practitioner, actor: Actor, *, organization_id: int | None) -> None:
    """Bring the person and every post of theirs in the record up to date."""
    today = timezone.localdate()
    posts = queries.all_posts(practitioner_id=person.pk)
    active = any(post.period.upper is None or post.period.upper > today for post in posts)
    record.publish(
        practitioner_resource(person, active=active, organization_id=organization_id), resident_id=None, actor=actor
    )
    for post in posts:
        record.publish(role_resource(post, role_of(post.role), today=today), resident_id=None, actor=actor)


def _tell(event: type[Event], person: Practitioner, actor: Actor, *, organization_id: int | None, **facts: str) -> None:
    _publish(person, actor, organization_id=organization_id)
    subject = f"practitioner/{person.key}"
    details = {**facts, "organization": organization_id}
    events.publish(
        event(
            subject=subject,
            subject_id=person.pk,
            organization_id=organization_id,
            consortium_id=actor.consortium_id,
            user_id=actor.user_id,
            details=details,
        )
    )
    audit.record(action=f"workforce.{event.__name__}", actor=actor, subject=subject, details=details)
