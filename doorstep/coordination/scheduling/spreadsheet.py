"""The weeks of the division, who waited how long, and the lists of waits, rebookings, schedules and a day, as Excel files."""

import io
from collections.abc import Sequence

import xlsxwriter
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from doorstep.coordination.scheduling.fairness_queries import FairLine
from doorstep.coordination.scheduling.models import Booking, QuotaDecision, Rebooking, Schedule, WaitingEntry
from doorstep.coordination.scheduling.quota_queries import WeekLine
from doorstep.coordination.scheduling.rules import quota_name
from doorstep.kernel.web.workbooks import Sheet, workbook


def weeks(lines: Sequence[WeekLine]) -> bytes:
    """One row per week, quota and unit; the heads are those of the page."""
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
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet(_("号源分配"))
        bold = book.add_format({"bold": True, "bg_color": "#E6F0F3"})
        share = book.add_format({"num_format": "0.0%"})
        for column, head in enumerate(heads):
            sheet.write(0, column, head, bold)
        for number, line in enumerate(lines, start=1):
            values = [line.week.isoformat(), quota_name(line.quota), line.unit or _("不分机构")]
            counts = [line.given, line.used, line.released, line.used_after, line.missed, line.wasted]
            for column, value in enumerate([*values, *counts]):
                sheet.write(number, column, value)
            sheet.write(number, len(heads) - 1, line.used / line.given if line.given else None, share)
        sheet.set_column(0, len(heads) - 1, 14)
        sheet.freeze_panes(1, 0)
    return buffer.getvalue()


def decisions(found: Sequence[QuotaDecision]) -> bytes:
    """What was decided on proposals: a row per unit, what was proposed beside what was decided, with both reasons."""
    heads = [
        _("决定时间"), _("科室"), _("类别"), _("起用日期"), _("决定"), _("说明"), _("经办"), _("机构"), _("上月"), _("需求"), _("建议"),
        _("份额"), _("理由"),
    ]  # fmt: skip
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet(_("分配决定"))
        bold = book.add_format({"bold": True, "bg_color": "#E6F0F3"})
        sheet.write_row(0, 0, heads, bold)
        number = 0
        for one in found:
            told = [
                timezone.localtime(one.decided_at).strftime("%Y-%m-%d %H:%M"), one.department.name, quota_name(one.quota),
                one.since.isoformat(), _(one.get_verdict_display()), one.reason, one.decided_by_name,
            ]  # fmt: skip
            for line in one.lines or [{}]:
                number += 1
                sheet.write_row(number, 0, told)
                for column, name in enumerate(
                    ("name", "given", "need", "proposed", "decided", "reason"), start=len(told)
                ):
                    sheet.write(number, column, line.get(name))
        sheet.set_column(0, len(heads) - 1, 14)
        sheet.freeze_panes(1, 0)
    return buffer.getvalue()


def fairness(parts: Sequence[tuple[str, Sequence[FairLine]]]) -> bytes:
    """One sheet per division (group, channel, unit); the heads are those of the page."""
    heads = [_("名称"), _("预约"), _("中位等待（天）"), _("九成以内（天）"), _("爽约"), _("经候补")]
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False}) as book:
        bold = book.add_format({"bold": True, "bg_color": "#E6F0F3"})
        days = book.add_format({"num_format": "0.0"})
        for label, lines in parts:
            sheet = book.add_worksheet(label)
            for column, head in enumerate(heads):
                sheet.write(0, column, head, bold)
            for number, line in enumerate(lines, start=1):
                sheet.write(number, 0, _(line.name))
                sheet.write(number, 1, line.bookings)
                sheet.write(number, 2, line.median, days)
                sheet.write(number, 3, line.ninetieth, days)
                sheet.write(number, 4, line.missed)
                sheet.write(number, 5, line.waited)
            sheet.set_column(0, len(heads) - 1, 16)
            sheet.freeze_panes(1, 0)
    return buffer.getvalue()


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


def rebookings(tasks: Sequence[Rebooking]) -> bytes:
    """What stopped clinics left to rebook, a row for each person."""
    heads = [_("居民"), _("原预约"), _("机构"), _("科室"), _("专家、诊室或设备"), _("停诊原因"), _("停诊时间")]
    return _table(
        _("停诊改约"),
        heads,
        [
            [
                task.resident.name, task.booking.slot.starts_at, task.organization.name,
                task.booking.slot.schedule.department.name, task.booking.slot.who, task.booking.slot.stop_reason,
                task.created_at,
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
