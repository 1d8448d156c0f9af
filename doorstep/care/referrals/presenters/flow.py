"""What the board of flows shows: words for codes, charts, and the file of cases."""

from typing import Any

from django.utils.translation import gettext as _

from doorstep.care.referrals.flow_case_queries import Case, RefusedDown
from doorstep.care.referrals.flow_queries import Board
from doorstep.care.referrals.models import DownProposal, Referral
from doorstep.care.referrals.presenters.words import english
from doorstep.kernel.web.addressing import url, url_if_known
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
        title = _("下转建议未成的原因")
        return _("%(title)s：%(reason)s") % {"title": title, "reason": word("back", value)} if value else title
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


def refusal_lines(rows: list[RefusedDown]) -> list[dict[str, Any]]:
    """The refused proposals behind a reason, a line for each refusal: who refused, why, and what became of the proposal."""
    return [
        {
            "number": row.proposal.diagnosis if row.is_seen else "—",
            "name": row.proposal.patient_name if row.is_seen else "—",
            "href": url("referrals:proposal", row.proposal.key) if row.is_seen else "",
            "way": f"{row.proposal.hospital.name} {row.proposal.ward}",
            "refused_by": row.unit,
            "reason": word("back", row.code),
            "state": state_of_proposal(row.proposal),
            "submitted_at": row.proposal.created_at,
        }
        for row in rows
    ]


def state_of_proposal(row: DownProposal) -> str:
    """The state of a proposal in words."""
    state = row.machine.state(row.state)
    return state.en if english() else state.zh


def case_lines(rows: list[Case], *, what: str = "") -> list[dict[str, Any]]:
    """The cases behind a figure, of a wait with how long it was; without sight of records there is no name and no link."""
    return [
        {
            "number": row.number,
            "name": row.patient_name if row.is_seen else "—",
            "href": url("referrals:detail", row.key) if row.is_seen and row.state != "draft" else "",
            "way": f"{row.source} → {goal_of(row)}",
            "state": stage(row.state),
            "direction": word("direction", row.direction),
            "kind": _(str(Referral.Kind(row.kind).label)),
            "submitted_at": row.sent_at,
            "due_at": row.late.due_at if row.late else None,
            "wait": wait_of(row, what),
            "reason": reason_of(row, what),
        }
        for row in rows
    ]


def wait_of(row: Case, what: str) -> float | None:
    """Seconds of the wait that a list is about."""
    ends = {"first-wait": (row.submitted_at, row.treated_at), "second-wait": (row.treated_at, row.admitted_at)}
    begun, over = ends.get(what, (None, None))
    return (over - begun).total_seconds() if begun is not None and over is not None else None


def _clock(kind: str) -> str:
    found = catalogue.stage(kind)
    return found.label(english=english()) if found else kind


def goal_of(row: Case) -> str:
    """Where the patient goes: the unit, the place outside the network, or home."""
    unit = row.receiver if row.direction == Referral.Direction.DOWN else row.target or row.outside_name
    return unit or "—"


def reason_of(row: Case, what: str = "") -> str:
    """The reason that a list is about; in a list of something else the last word of whoever did not take the patient."""
    codes = {
        "decline": row.decline_code,
        "return": row.return_code,
        "offer": row.offer_refusal,
        "back": row.back_code,
        "outside": row.outside_reason,
    }
    asked = what.partition(":")[0]
    if asked in codes:
        return word(asked, codes[asked]) if codes[asked] else ""
    # What was returned and sent again is answered; only while it lies with the sender is it still the reason.
    standing = {**codes, "return": row.return_code if row.state == "returned" else ""}
    return next((word(kind, code) for kind, code in standing.items() if code), "")
