"""The board of debts as it is read: its tabs with their figures, its lines, and its file."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from doorstep.care.referrals.debt_queries import OPEN, OVERDUE, PAID, PART, WAIVED, Figure
from doorstep.care.referrals.models import PayLater
from doorstep.care.referrals.presenters.words import english
from doorstep.kernel.web import workbooks
from doorstep.kernel.web.workbooks import Sheet

NAMES: dict[str, str] = {
    OPEN: gettext_noop("待结清"),
    OVERDUE: gettext_noop("逾期未结"),
    PART: gettext_noop("部分结清"),
    PAID: gettext_noop("已结清"),
    WAIVED: gettext_noop("已减免"),
}
_WIDTH = 18


def tabs_of(figures: Mapping[str, Figure], *, which: str, text: str) -> list[dict[str, Any]]:
    """The kinds of debts with how many there are; what was looked for stays."""
    return [
        {
            "label": _(name),
            "href": f"?{urlencode({'which': code, **({'q': text} if text else {})})}",
            "active": code == which,
            "count": figures[code].count,
        }
        for code, name in NAMES.items()
    ]


def lines_of(rows: Iterable[PayLater]) -> list[dict[str, Any]]:
    """The lines of the board; everything is in the row, nothing is asked per line."""
    today = timezone.localdate()
    return [
        {
            "debt": one,
            "referral": one.referral,
            "rest": _rest(one),
            "late": one.days_late(),
            "state": _state(one),
            "tone": _tone(one),
            "reminded_today": one.reminded_at is not None and timezone.localdate(one.reminded_at) == today,
        }
        for one in rows
    ]


def workbook(rows: Iterable[PayLater]) -> bytes:
    """The debts as a file: sums in yuan, days as days."""
    heads = (
        _("患者"), _("联系电话"), _("转诊单号"), _("出院诊断"), _("欠款机构"), _("欠款（元）"), _("已收（元）"), _("尚欠（元）"), _("登记时间"),
        _("应结清日"), _("逾期天数"), _("提醒次数"), _("最近提醒"), _("状态"), _("结清时间"), _("减免原因"),
    )  # fmt: skip
    return workbooks.workbook(Sheet(_("先诊疗后付费欠款"), heads, (_line(one) for one in rows), _WIDTH))


def _line(one: PayLater) -> tuple[Any, ...]:
    case = one.referral
    return (
        case.patient_name, case.patient_phone or "", case.number, case.discharge_diagnosis, one.creditor.name, one.amount, one.paid,
        _rest(one), one.noted_at, one.due_on, one.days_late() or None, one.reminders, one.reminded_at, _state(one), one.paid_at,
        one.note,
    )  # fmt: skip


def _rest(one: PayLater) -> Any:
    """What is still to be paid: nothing of a debt that was waived."""
    return one.rest() if one.state == "owing" else 0


def _state(one: PayLater) -> str:
    """The state in words; of an open debt what has become of it."""
    if one.state == "owing" and one.paid:
        return _(NAMES[PART])
    state = one.machine.state(one.state)
    return state.en if english() else state.zh


def _tone(one: PayLater) -> str:
    if one.state != "owing":
        return "ok" if one.state == "paid" else "neutral"
    return "critical" if one.days_late() else "warn"
