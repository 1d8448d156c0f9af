"""The cases behind a figure of the board as an Excel file: the lines of the page, with every step's time in China's hours."""

from typing import Any

from django.utils.translation import gettext as _

from doorstep.care.referrals.flow_case_queries import Case, RefusedDown
from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.presenters.flow import goal_of, reason_of, stage, state_of_proposal, wait_of, word
from doorstep.kernel.web import workbooks
from doorstep.kernel.web.workbooks import Sheet

_MINUTE = 60
_WIDTH = 18
_STEPS = (
    "sent_at", "accepted_at", "arrived_at", "treated_at", "admitted_at", "discharged_at", "handed_back_at",
    "received_back_at", "closed_at",
)  # fmt: skip


def workbook(rows: list[Case], *, what: str = "") -> bytes:
    """The cases of a figure; `what` as in the page's address: of a wait, how many minutes it was."""
    heads = (
        _("编号"), _("患者"), _("转出机构"), _("转入机构"), _("方向"), _("类型"), _("状态"), _("提交"), _("受理"), _("到院"), _("接诊"),
        _("收治入院"), _("出院"), _("下转"), _("承接"), _("办结"), _("原因"), _("应办"), _("等候（分钟）"),
    )  # fmt: skip
    lines = (_line(row, what) for row in rows)
    return workbooks.workbook(Sheet(_("转诊明细"), heads, lines, _WIDTH))


def refusals(rows: list[RefusedDown]) -> bytes:
    """The refused proposals of going home, a line for each refusal."""
    heads = (
        _("诊断"), _("患者"), _("医院"), _("病区"), _("未同意方"), _("原因"), _("现承接机构"), _("状态"), _("提出时间"), _("答复时间"),
    )  # fmt: skip
    lines = (
        (
            one.proposal.diagnosis if one.is_seen else "—",
            one.proposal.patient_name if one.is_seen else "",
            one.proposal.hospital.name,
            one.proposal.ward,
            one.unit,
            word("back", one.code),
            one.proposal.receiver.name if one.proposal.receiver else "",
            state_of_proposal(one.proposal),
            one.proposal.created_at,
            one.proposal.answered_at,
        )
        for one in rows
    )
    return workbooks.workbook(Sheet(_("未成的下转建议"), heads, lines, _WIDTH))


def _line(row: Case, what: str) -> tuple[Any, ...]:
    wait = wait_of(row, what)
    return (
        row.number,
        row.patient_name if row.is_seen else "",
        row.source,
        goal_of(row),
        word("direction", row.direction),
        _(str(Referral.Kind(row.kind).label)),
        stage(row.state),
        *(getattr(row, name) for name in _STEPS),
        reason_of(row, what),
        row.late.due_at if row.late else None,
        None if wait is None else round(wait / _MINUTE),
    )
