"""Entering what 国务院办公厅 has announced for a year that the packaged calendar does not have yet, and taking it back."""

from datetime import date, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from doorstep.coordination.scheduling import days
from doorstep.coordination.scheduling.models import CalendarDay
from doorstep.coordination.scheduling.permissions import Permission
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Conflict, NotFound, Refused
from doorstep.kernel.audit import actions as audit

# No holiday of the calendar is longer; platform default against a slip of the pen.
LONGEST = 15


@transaction.atomic
def announce(*, first: date, last: date, kind: str, name: str, source: str, actor: Actor) -> int:
    """Enter the days of a holiday, or weekend days that are worked, with the notice they come from; returns how many days.

    Raises Refused for days of a published year, turned round or too many; Conflict when one of them was entered already.
    """
    actor.check(Permission.CALENDAR_MANAGE)
    if not first <= last < first + timedelta(days=LONGEST):
        raise Refused(
            _("日期不正确。"),
            fields={"last": _("结束日期不早于开始日期，一次最多 %(days)s 天。") % {"days": LONGEST}},
        )
    wanted = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    settled = next((day for day in wanted if days.is_settled(day)), None)
    if settled is not None:
        message = _("%(year)s 年的节假日安排系统已有，不需要录入。") % {"year": settled.year}
        raise Refused(message, fields={"first": message})
    if kind == CalendarDay.Kind.MAKEUP and any(day.weekday() < 5 for day in wanted):
        message = _("调休上班日只能是周六或周日，请核对日期。")
        raise Refused(message, fields={"first": message})
    taken = CalendarDay.objects.filter(day__in=wanted).order_by("day").first()
    if taken is not None:
        message = _("%(day)s 已录入为%(name)s，请先移除。") % {"day": taken.day.isoformat(), "name": taken.name}
        raise Conflict(message, fields={"first": message})
    CalendarDay.objects.bulk_create(
        CalendarDay(day=day, kind=kind, name=name.strip(), source=source.strip(), entered_by_id=actor.user_id)
        for day in wanted
    )
    facts = {"first": first.isoformat(), "last": last.isoformat(), "kind": kind, "name": name, "source": source}
    audit.record(action="calendar.announce", actor=actor, subject=f"calendar/{first.year}", details=facts)
    return len(wanted)


@transaction.atomic
def withdraw(*, day: date, actor: Actor) -> None:
    """Take back a day that was entered; raises NotFound when none was."""
    actor.check(Permission.CALENDAR_MANAGE)
    removed, _each = CalendarDay.objects.filter(day=day).delete()
    if not removed:
        raise NotFound()
    audit.record(
        action="calendar.withdraw", actor=actor, subject=f"calendar/{day.year}", details={"day": day.isoformat()}
    )
