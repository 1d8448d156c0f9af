"""What the board of flows shows: words for codes, charts, and the file of cases."""

import io
from datetime import datetime
from typing import Any

import xlsxwriter
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.care.referrals.flow_case_queries import Case
from doorstep.care.referrals.flow_queries import Board
from doorstep.care.referrals.models import DownProposal, Referral
from doorstep.care.referrals.presenters.words import english
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.web.addressing import url_if_known
from doorstep.kernel.workflow import catalogue

_CHOICES: dict[str, Any] = {
    "return": Referral.ReturnReason,
    "decline": Referral.DeclineReason,
    "offer": Referral.OfferRefusal,
    "back": Referral.BackReason,
    "outside": Referral.OutsideReason,
    "direction": Referral.Direction,
}


def word(kind: str, code: str) -> str:
    """A coded reason or direction in words; the code itself when it is not known any more."""
    table = _CHOICES[kind]
    return _(str(table(code).label)) if code in table.values else code


def stage(code: str) -> str:
    """A state in words."""
    state = Referral.machine.state(code)
    return state.en if english() else state.zh


def board_of(found: Board) -> dict[str, Any]:
    """The board in words."""
    return {
        "stages": [
            {"code": code, "label": stage(code), "open": count, "late": late} for code, count, late in found.stages
        ],
        "open": sum(count for _code, count, _late in found.stages),
        "late": sum(late for _code, _count, late in found.stages),
        "directions": [(code, word("direction", code), count) for code, count in found.directions.items()],
        "flows": found.flows[:15],
        "first": found.first_wait,
        "second": found.second_wait,
        "clocks": [(_clock(one.kind), one, url_if_known("indicators:cases", one.kind) or "") for one in found.clocks],
        "reasons": _reasons(found),
        "leakage": [(name, code, word("outside", code), count) for name, code, count in found.leakage],
        "dark": found.dark,
    }


def _reasons(found: Board) -> list[tuple[str, str, list[tuple[str, str, int]], int]]:
    """Why patients did not get on: a title, the kind of its cases, reasons, and the most of one."""
    titles = (
        (_("退回原因"), "return"),
        (_("不予接收原因"), "decline"),
        (_("患者不接受安排的原因"), "offer"),
        (_("不能承接原因"), "back"),
    )
    rows = [
        (title, kind, [(code, word(kind, code), count) for code, count in found.reasons[kind]])
        for title, kind in titles
    ]
    rows.append(
        (
            _("下转建议未成的原因"),
            "down-refused",
            [(code, word("back", code), count) for code, count in found.refused_down],
        )
    )
    return [(title, kind, lines, max((count for *_words, count in lines), default=0)) for title, kind, lines in rows]


def figure_of(what: str) -> str:
    """What the cases of a list have in common, in words; the flow between two units is named by its lines."""
    kind, _colon, value = what.partition(":")
    if value and kind in ("overdue", "stage"):
        if value not in {one.code for one in Referral.machine.states}:
            return ""
        return _("%(stage)s，已超时") % {"stage": stage(value)} if kind == "overdue" else stage(value)
    if kind == "down-refused":
        return _("%(title)s：%(reason)s") % {"title": _("下转建议未成的原因"), "reason": word("back", value)}
    if kind == "outside" and "|" in value:
        code, _bar, place = value.partition("|")
        return f"{place} · {word(kind, code)}"
    if kind in _CHOICES:
        return word(kind, value)
    return {
        "open": _("在途转诊"),
        "overdue": _("已超时"),
        "dark": _("无人负责的转诊"),
        "flow": _("机构间流向"),
        "first-wait": _("等候一：提交至接诊（中位）"),
        "second-wait": _("等候二：接诊至收治（中位）"),
    }.get(kind, "")


def proposal_lines(rows: list[DownProposal], *, actor: Actor) -> list[dict[str, Any]]:
    """The proposals behind a reason, as lines of the same list."""
    names = bool(actor.record_reach)
    return [
        {
            "number": row.diagnosis,
            "name": row.patient_name if names else "—",
            "href": reverse("referrals:proposal", args=[row.key]) if names else "",
            "way": f"{row.hospital.name} → {row.receiver.name if row.receiver else '—'}",
            "state": row.machine.state(row.state).en if english() else row.machine.state(row.state).zh,
            "direction": word("direction", Referral.Direction.DOWN.value),
            "kind": "—",
            "submitted_at": row.created_at,
            "reason": "、".join(
                word("back", code)
                for code in dict.fromkeys([row.ward_code, *(one["code"] for one in row.receiver_codes)])
                if code
            ),
        }
        for row in rows
    ]


def case_lines(rows: list[Case], *, actor: Actor, what: str = "") -> list[dict[str, Any]]:
    """The cases behind a figure, of a wait with how long it was; without sight of records there is no name and no link."""
    names = bool(actor.record_reach)
    return [
        {
            "number": row.number,
            "name": row.patient_name if names else "—",
            "href": reverse("referrals:detail", args=[row.key]) if names and row.state != "draft" else "",
            "way": f"{row.source} → {_goal_of(row)}",
            "state": stage(row.state),
            "direction": word("direction", row.direction),
            "kind": _(str(Referral.Kind(row.kind).label)),
            "submitted_at": row.submitted_at,
            "due_at": row.late.due_at if row.late else None,
            "wait": _wait(row, what),
            "reason": _reason(row),
        }
        for row in rows
    ]


def workbook(rows: list[Case], *, actor: Actor) -> bytes:
    """The cases as an Excel file, times in China's hours."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    sheet = book.add_worksheet(_("转诊明细"))
    bold, moment = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    heads = (
        _("编号"), _("患者"), _("转出机构"), _("转入机构"), _("方向"), _("类型"), _("状态"), _("提交"), _("受理"), _("到院"), _("接诊"),
        _("收治入院"), _("出院"), _("下转"), _("承接"), _("办结"), _("原因"), _("应办"),
    )  # fmt: skip
    sheet.write_row(0, 0, heads, bold)
    columns = (
        "submitted_at", "accepted_at", "arrived_at", "treated_at", "admitted_at", "discharged_at", "handed_back_at",
        "received_back_at", "closed_at",
    )  # fmt: skip
    for number, row in enumerate(rows, start=1):
        texts = (
            row.number,
            row.patient_name if actor.record_reach else "",
            row.source,
            _goal_of(row),
            word("direction", row.direction),
            _(str(Referral.Kind(row.kind).label)),
            stage(row.state),
        )
        for column, text in enumerate(texts):
            # As text: a name that begins with "=" must not become a formula.
            sheet.write_string(number, column, text)
        for column, name in enumerate(columns, start=len(texts)):
            value: datetime | None = getattr(row, name)
            if value is not None:
                sheet.write_datetime(number, column, timezone.localtime(value).replace(tzinfo=None), moment)
        last = len(texts) + len(columns)
        sheet.write_string(number, last, _reason(row))
        if row.late is not None:
            sheet.write_datetime(number, last + 1, timezone.localtime(row.late.due_at).replace(tzinfo=None), moment)
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(heads), 18)
    book.close()
    return target.getvalue()


def _wait(row: Case, what: str) -> float | None:
    """Seconds of the wait that a list is about."""
    ends = {"first-wait": (row.submitted_at, row.treated_at), "second-wait": (row.treated_at, row.admitted_at)}
    begun, over = ends.get(what, (None, None))
    return (over - begun).total_seconds() if begun is not None and over is not None else None


def _clock(kind: str) -> str:
    found = catalogue.stage(kind)
    return found.label(english=english()) if found else kind


def _goal_of(row: Case) -> str:
    """Where the patient goes: the unit, the place outside the network, or home."""
    unit = row.receiver if row.direction == Referral.Direction.DOWN else row.target or row.outside_name
    return unit or "—"


def _reason(row: Case) -> str:
    for kind, code in (
        ("decline", row.decline_code),
        ("return", row.return_code),
        ("back", row.back_code),
        ("outside", row.outside_reason),
    ):
        if code:
            return word(kind, code)
    return ""
