"""The bed board as an Excel file: the figures of the wards, every bed, and the whole waiting list."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from doorstep.coordination.beds.presenters import PRIORITIES, Looked, boards, totals, waiting
from doorstep.kernel.web.workbooks import Sheet, workbook

_FIGURES = ("all", "free", "held", "occupied", "cleaning", "closed", "leaving")


def board(looked: Looked, *, at: datetime) -> bytes:
    """Three sheets; the sums of the first are the figures on top of the page. Whoever sees no names reads how many wait."""
    wards = (
        _("机构"), _("病区"), _("病区类型"), _("床位总数"), _("空床"), _("预留"), _("占用"), _("终末消毒"), _("停用"),
        _("明日前预计出院"),
    )  # fmt: skip
    beds = (_("机构"), _("病区"), _("床号"), _("状态"), _("预留到期"), _("预计出院"))
    persons = (_("患者"), _("性别年龄"), _("诊断"), _("主管医师"), _("入住"), _("留给"))
    listed = (
        _("机构"), _("患者"), _("性别年龄"), _("优先级"), _("科室"), _("等候自"), _("已等候（小时）"), _("已留床位"),
    )  # fmt: skip
    return workbook(
        Sheet(_("病区汇总"), wards, _figures(looked)),
        Sheet(_("床位"), (*beds, *persons) if looked.names else beds[:5], _beds(looked)),
        Sheet(_("候床名单"), listed, _waiting(looked, at))
        if looked.names
        else Sheet(_("候床人数"), (_("优先级"), _("人数"), _("最早等候自")), _counts(looked)),
    )


def _figures(looked: Looked) -> Iterable[Sequence[Any]]:
    for line in looked.wards:
        counts = {**line.counts, "all": len(line.beds), "leaving": line.leaving}
        kind = _(str(line.ward.get_kind_display()))
        yield line.ward.organization.name, line.ward.name, kind, *(counts.get(name, 0) for name in _FIGURES)
    sums = totals(looked.wards)
    yield _("合计"), "", "", *(sums[name] for name in _FIGURES)


def _beds(looked: Looked) -> Iterable[Sequence[Any]]:
    for line in boards(looked):
        for tile in line["tiles"]:
            bed = (line["ward"].organization.name, line["ward"].name, tile.number, tile.label, tile.held_until)
            stay = tile.stay
            if not looked.names:
                yield bed
            elif stay is None:
                yield *bed, None, "", tile.person, "", "", None, tile.held_by
            else:
                attending = stay.attending.name if stay.attending else ""
                yield (
                    *bed, stay.predicted_on, stay.patient_name, tile.person, stay.diagnosis, attending, stay.admitted_at, "",
                )  # fmt: skip


def _waiting(looked: Looked, at: datetime) -> Iterable[Sequence[Any]]:
    for line in waiting(looked.requests, looked.wards):
        row = line.request
        hours = round((at - row.created_at).total_seconds() / 3600, 1)
        department = row.department.name if row.department else ""
        urgency = _(PRIORITIES[row.priority][0])
        yield (
            row.organization.name, row.patient_name, line.person, urgency, department, row.created_at, hours, line.kept,
        )  # fmt: skip


def _counts(looked: Looked) -> Iterable[Sequence[Any]]:
    for one in looked.counts:
        yield _(PRIORITIES[one.priority][0]), one.count, one.since
