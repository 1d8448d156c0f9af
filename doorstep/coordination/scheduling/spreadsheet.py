"""The weeks of the division, who waited how long, and the lists of waits, rebookings, schedules and a day, as Excel files."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from doorstep.coordination.scheduling.fairness_queries import FairLine
from doorstep.coordination.scheduling.models import Booking, QuotaDecision, Rebooking, Schedule, WaitingEntry
from doorstep.coordination.scheduling.quota_queries import WeekLine
from doorstep.coordination.scheduling.rules import quota_name
from doorstep.kernel.web.workbooks import Share, Sheet, workbook

# When a thing is due and when it warns.
Clock = tuple[datetime | None, datetime | None]
_NO_CLOCK: Clock = (None, None)


def weeks(lines: Sequence[WeekLine], *, over: date) -> bytes:
    """One row per week, quota and unit; the heads are those of the page. A week that began after `over` has no rate yet."""
    heads = [
        _("周（周一）"),
        _("类别"),
        _("机构"),
        _("分得"),
        _("自用"),
        _("放出"),
        _("放出后约满"),
        _("爽约"),
        _("浪费"),
        _("使用率"),
    ]
    rows = (
        (
            line.week.isoformat(), quota_name(line.quota), line.unit or _("不分机构"), line.given, line.used, line.released,
            line.used_after, line.missed, line.wasted,
            _("未结束") if line.week > over else Share(line.used / line.given) if line.given else None,
        )
        for line in lines
    )  # fmt: skip
    return workbook(Sheet(_("号源分配"), heads, rows, 14))


def decisions(found: Sequence[QuotaDecision]) -> bytes:
    """What was decided on proposals: a row per unit, what was proposed beside what was decided, with both reasons."""
    heads = [
        _("决定时间"), _("科室"), _("类别"), _("起用日期"), _("决定"), _("说明"), _("经办"), _("机构"), _("上月"), _("需求"), _("建议"),
        _("份额"), _("理由"),
    ]  # fmt: skip
    return workbook(Sheet(_("分配决定"), heads, _decided(found), 14))


def _decided(found: Sequence[QuotaDecision]) -> Iterator[Sequence[Any]]:
    for one in found:
        told = (
            one.decided_at, one.department.name, quota_name(one.quota), one.since, _(one.get_verdict_display()), one.reason,
            one.decided_by_name,
        )  # fmt: skip
        for line in one.lines or [{}]:
            yield *told, *(line.get(name) for name in ("name", "given", "need", "proposed", "decided", "reason"))


def fairness(parts: Sequence[tuple[str, Sequence[FairLine]]]) -> bytes:
    """One sheet per division (group, channel, unit); the heads are those of the page."""
    heads = [_("名称"), _("预约"), _("中位等待（天）"), _("九成以内（天）"), _("爽约"), _("经候补")]
    return workbook(*(Sheet(label, heads, map(_waited, lines)) for label, lines in parts))


def _waited(line: FairLine) -> Sequence[Any]:
    # As exact as the page: who sets both side by side finds the same figures.
    median, ninetieth = (None if one is None else round(one, 1) for one in (line.median, line.ninetieth))
    return _(line.name), line.bookings, median, ninetieth, line.missed, line.waited


def waiting(entries: Sequence[WaitingEntry]) -> bytes:
    """The waiting list as the page shows it, a row for each wait."""
    heads = [
        _("科室"),
        _("机构"),
        _("居民"),
        _("优先级"),
        _("期望日期"),
        _("登记"),
        _("登记单位"),
        _("状态"),
        _("放出的号"),
    ]
    return _table(
        _("候补名单"),
        heads,
        [
            [
                one.department.name, one.organization.name, one.resident.name, one.points,
                f"{one.first_day.isoformat()} — {one.last_day.isoformat()}", one.created_at, one.source_organization.name,
                _state(one), one.offered_slot.starts_at if one.state == "offered" and one.offered_slot else None,
            ]
            for one in entries
        ],
    )  # fmt: skip


def rebookings(tasks: Sequence[Rebooking], clocks: Mapping[int, Clock]) -> bytes:
    """What stopped clinics left to rebook, a row for each person, with the time by which it is due."""
    heads = [
        _("居民"),
        _("原预约"),
        _("机构"),
        _("科室"),
        _("专家、诊室或设备"),
        _("停诊原因"),
        _("停诊时间"),
        _("改约时限"),
    ]
    return _table(
        _("停诊改约"),
        heads,
        [
            [
                task.resident.name, task.booking.slot.starts_at, task.organization.name,
                task.booking.slot.schedule.department.name, task.booking.slot.who, task.booking.slot.stop_reason,
                task.created_at, clocks.get(task.pk, _NO_CLOCK)[0],
            ]
            for task in tasks
        ],
    )  # fmt: skip


def schedules(found: Sequence[Schedule]) -> bytes:
    """The schedules of a unit with their rules, a row for each."""
    heads = [_("科室"), _("专家、诊室或设备"), _("服务"), _("提前放号（天）"), _("放号时间"), _("节假日"), _("在用")]
    return _table(
        _("排班"),
        heads,
        [
            [
                one.department.name, one.who or _("科室号"), _(one.get_service_display()), one.release_days,
                one.release_at.strftime("%H:%M") if one.release_days is not None else _("手工"), _(one.get_holidays_display()),
                _("是") if one.is_active else _("否"),
            ]
            for one in found
        ],
    )  # fmt: skip


def day(expected: Sequence[Booking]) -> bytes:
    """Who is expected on a day, a row for each booking, with the number of whoever checked in."""
    heads = [_("时间"), _("居民"), _("科室"), _("专家、诊室或设备"), _("预约单位"), _("预约渠道"), _("状态"), _("号")]
    return _table(
        _("预约名单"),
        heads,
        [
            [
                one.slot.starts_at, one.resident.name, one.slot.schedule.department.name, one.slot.who,
                one.source_organization.name, _(one.get_channel_display()), _state(one),
                one.ticket.number if hasattr(one, "ticket") else None,
            ]
            for one in expected
        ],
    )  # fmt: skip


def _state(item: Booking | WaitingEntry) -> str:
    state = item.machine.state(item.state)
    return state.en if get_language() == "en" else state.zh


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> bytes:
    return workbook(Sheet(title, heads, rows))
