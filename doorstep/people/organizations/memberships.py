"""Membership in a consortium, from a day to a day: begun, ended, never deleted."""

from datetime import date, timedelta

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Conflict, NotFound, NotPermitted, Refused
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.events import actions as events
from doorstep.kernel.events.event import Event
from doorstep.people.organizations import queries
from doorstep.people.organizations.events import MembershipBegan, MembershipEnded
from doorstep.people.organizations.models import Change, Consortium, Membership, Organization
from doorstep.people.organizations.permissions import Permission
from doorstep.people.organizations.rules import is_code


def may_lead(actor: Actor) -> bool:
    """Whether the actor may say who leads, and found a consortium: whoever manages from the top of the tree."""
    if actor.is_system:
        return True
    own = actor.organization_id
    return (
        actor.may(Permission.ORGANIZATION_MANAGE) and own is not None and queries.parent_of(organization_id=own) is None
    )


@transaction.atomic
def found_consortium(*, code: str, name: str, actor: Actor) -> Consortium:
    """Found a consortium; its lead and members join afterwards."""
    actor.check(Permission.ORGANIZATION_MANAGE)
    if not may_lead(actor):
        raise NotPermitted(permission=Permission.ORGANIZATION_MANAGE)
    faults = {}
    if not is_code(code):
        faults["code"] = _("医共体代码为 2 至 30 位字母、数字或横线。")
    if not name.strip():
        faults["name"] = _("请填写医共体名称。")
    if faults:
        raise Refused(_("医共体信息有内容需要更正，没有保存。"), fields=faults)
    try:
        with transaction.atomic():
            made = Consortium.objects.create(code=code, name=name.strip()[:120])
    except IntegrityError as error:
        raise Refused(_("代码重复。"), fields={"code": _("这个代码已被使用，请换一个。")}) from error
    audit.record(action="consortium.found", actor=actor, subject=f"consortium/{made.key}")
    return made


@transaction.atomic
def begin(*, unit: Organization, consortium_id: int, part: str, starts_on: date, actor: Actor) -> Membership:
    """Let a unit belong to a consortium from a day on; raises Conflict when it belongs to one already.

    A manager lets units below join the own consortium as members; who leads is said from the top of the tree.
    """
    _check(unit, actor)
    if consortium_id not in {one.pk for one in choices(actor=actor)}:
        raise Refused(_("请选择医共体。"), fields={"consortium": _("请从列表中选择医共体。")})
    if part not in Membership.Part.values or (part == Membership.Part.LEAD and not may_lead(actor)):
        raise NotPermitted(permission=Permission.ORGANIZATION_MANAGE)
    try:
        with transaction.atomic():
            made = Membership.objects.create(
                organization=unit, consortium_id=consortium_id, part=part, period=DateRange(starts_on, None)
            )
    except IntegrityError as error:
        sentence = _("这个单位在这段时间已属于一个医共体，请先登记退出。")
        raise Conflict(sentence, fields={"starts_on": sentence}) from error
    _tell(MembershipBegan, made, actor, reason="")
    return made


@transaction.atomic
def end(*, membership: Membership, last_day: date, reason: str, actor: Actor) -> Membership:
    """Let a membership end after its last day, with the reason; any past day can still be asked."""
    _check(membership.organization, actor)
    if membership.part == Membership.Part.LEAD and not may_lead(actor):
        raise NotPermitted(permission=Permission.ORGANIZATION_MANAGE)
    if membership.period.upper is not None and membership.period.upper <= timezone.localdate():
        raise Conflict(_("这段成员关系已经结束，请刷新后查看。"))
    if last_day < membership.period.lower:
        raise Refused(
            _("日期有误。"),
            fields={"last_day": _("最后一天不能早于加入日 %(day)s。") % {"day": membership.period.lower.isoformat()}},
        )
    if not reason.strip():
        raise Refused(_("请填写原因。"), fields={"reason": _("请写明退出原因。")})
    membership.period = DateRange(membership.period.lower, last_day + timedelta(days=1))
    membership.save(update_fields=["period"])
    _tell(MembershipEnded, membership, actor, reason=reason)
    return membership


def choices(*, actor: Actor) -> list[Consortium]:
    """The consortia that the actor may let units join: the own one, or every one from the top of the tree."""
    found = Consortium.objects.order_by("name")
    return list(found if may_lead(actor) else found.filter(id=actor.consortium_id or 0))


def _check(unit: Organization, actor: Actor) -> None:
    actor.check(Permission.ORGANIZATION_MANAGE)
    if not actor.reaches(unit.pk):
        raise NotFound()
    if unit.pk == actor.organization_id and not may_lead(actor):
        raise NotPermitted(permission=Permission.ORGANIZATION_MANAGE)


def _tell(event: type[Event], membership: Membership, actor: Actor, *, reason: str) -> None:
    unit = membership.organization
    upper = membership.period.upper
    facts = {
        "consortium": membership.consortium.name,
        "part": membership.part,
        "from": membership.period.lower.isoformat(),
        "last_day": (upper - timedelta(days=1)).isoformat() if upper else "",
    }
    Change.objects.create(
        organization=unit,
        what=event.__name__,
        changed={name: ["", value] for name, value in facts.items() if value},
        reason=reason.strip()[:200],
        by_name=actor.display_name[:80],
    )
    subject = f"organization/{unit.key}"
    events.publish(
        event(
            subject=subject,
            subject_id=unit.pk,
            organization_id=unit.pk,
            consortium_id=membership.consortium_id,
            user_id=actor.user_id,
            details={**facts, "reason": reason.strip()[:200]},
        )
    )
    audit.record(action=f"organization.{event.__name__}", actor=actor, subject=subject, details=facts)
