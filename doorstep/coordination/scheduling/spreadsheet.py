"""The weeks of the division, and who waited how long, as Excel files."""

import io
from collections.abc import Sequence

import xlsxwriter
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.coordination.scheduling.fairness_queries import FairLine
from doorstep.coordination.scheduling.models import QuotaDecision
from doorstep.coordination.scheduling.quota_queries import WeekLine
from doorstep.coordination.scheduling.rules import quota_name


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
