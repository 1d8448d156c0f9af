"""Turning to another post, and naming a deputy during leave."""

from datetime import date, timedelta
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.refusals import Conflict, NotFound, Refused
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.worklist import actions as worklist
from doorstep.kernel.worklist import queries as worklist_queries
from doorstep.kernel.worklist.models import Delegation
from doorstep.kernel.worklist.permissions import Permission as Worklist
from doorstep.people.workforce import queries

# A slip in the year would give somebody's tasks away for good.
LONGEST_LEAVE = timedelta(days=366)


def switch_post(*, post_id: int, actor: Actor) -> None:
    """Act in another of one's own posts from the next request on; raises NotFound for a post of somebody else."""
    if post_id not in {held for held, _label in actor.other_posts}:
        raise NotFound()
    User.objects.filter(pk=actor.user_id or 0).update(current_post_id=post_id)
    audit.record(action="post.switch", actor=actor, subject=f"post/{post_id}")


def name_deputy(*, to_user_id: int, starts_on: date, ends_on: date, reason: str, actor: Actor) -> Delegation:
    """Hand one's assigned tasks to a colleague of the same unit for some days; raises Refused at the field."""
    actor.check(Worklist.TASK_DELEGATE)
    if actor.organization_id is None or actor.user_id is None:
        raise NotFound()
    today = timezone.localdate()
    if ends_on < starts_on:
        raise Refused(_("日期有误。"), fields={"ends_on": _("结束日期不能早于开始日期。")})
    if ends_on < today:
        raise Refused(_("日期有误。"), fields={"ends_on": _("这段时间已经过去，请填写今天或以后的日期。")})
    if ends_on > max(starts_on, today) + LONGEST_LEAVE or starts_on > today + LONGEST_LEAVE:
        raise Refused(_("日期有误。"), fields={"ends_on": _("代理最长一年，请核对年份。")})
    known = queries.possible_deputies(actor=actor, day=today)
    if to_user_id not in {user_id for user_id, _name in known}:
        raise Refused(_("代理人有误。"), fields={"to_user_id": _("请从本单位岗位权限相当的在岗同事中选择。")})
    made = worklist.delegate(
        from_user_id=actor.user_id,
        to_user_id=to_user_id,
        starts_on=starts_on,
        ends_on=ends_on,
        reason=reason,
        actor=actor,
    )
    audit.record(action="leave.delegate", actor=actor, subject=f"delegation/{made.key}", details={"to": to_user_id})
    return made


def end_leave(*, key: UUID, actor: Actor) -> None:
    """Take one's own deputy back before the last day; the tasks are one's own again at once.

    Raises NotFound for a leave of somebody else, Conflict for one that is over.
    """
    actor.check(Worklist.TASK_DELEGATE)
    own = {one.key for one in worklist_queries.delegations_of(user_id=actor.user_id or 0)}
    if key not in own:
        raise NotFound()
    if not worklist.end_delegation(key=key, from_user_id=actor.user_id or 0, now=timezone.now()):
        raise Conflict(_("这次代理已经结束，无需再结束。"))
    audit.record(action="leave.end", actor=actor, subject=f"delegation/{key}")
