"""What the board of flows shows: words for codes, charts, and the file of cases."""

import io
from datetime import datetime
from math import cos, radians, sqrt
from typing import Any

import xlsxwriter
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.care.referrals.flow_queries import Board, Flow
from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.presenters.thing import label, place_of
from doorstep.care.referrals.presenters.words import english
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.workflow import catalogue
from doorstep.people.organizations import queries as organizations

# Units that give the map its ground.
_GROUND = ("hospital", "township-center", "community-center", "village-clinic", "care-home")
_KILOMETRES_A_DEGREE = 111.2
# How many units a map names, and how many flows a Sankey can carry; the table beside it and the file have the others.
_NAMED, _DRAWN = 12, 30
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
        "clocks": [(_clock(one.kind), one) for one in found.clocks],
        "reasons": [
            (title, kind, [(code, word(kind, code), count) for code, count in found.reasons[kind]])
            for title, kind in (
                (_("退回原因"), "return"),
                (_("不予接收原因"), "decline"),
                (_("患者不接受安排的原因"), "offer"),
                (_("不能承接原因"), "back"),
            )
        ],
        "leakage": [(name, code, word("outside", code), count) for name, code, count in found.leakage],
        "dark": found.dark,
        "refused_down": [(word("back", code), count) for code, count in found.refused_down],
    }


def case_lines(rows: list[Referral], *, actor: Actor) -> list[dict[str, Any]]:
    """The cases behind a figure; without sight of records there is no name and no link."""
    names = bool(actor.record_reach)
    return [
        {
            "number": row.number,
            "name": row.patient_name if names else "—",
            "href": reverse("referrals:detail", args=[row.key]) if names and row.state != "draft" else "",
            "way": f"{row.source.name} → {place_of(row)}",
            "state": label(row),
            "direction": word("direction", row.direction),
            "kind": _(str(Referral.Kind(row.kind).label)),
            "submitted_at": row.submitted_at,
            "reason": _reason(row),
        }
        for row in rows
    ]


def workbook(rows: list[Referral], *, actor: Actor) -> bytes:
    """The cases as an Excel file, times in China's hours."""
    target = io.BytesIO()
    book = xlsxwriter.Workbook(target, {"in_memory": True})
    sheet = book.add_worksheet(_("转诊明细"))
    bold, moment = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    heads = (
        _("编号"), _("患者"), _("转出机构"), _("转入机构"), _("方向"), _("类型"), _("状态"), _("提交"), _("受理"), _("到院"), _("接诊"),
        _("收治入院"), _("出院"), _("下转"), _("承接"), _("办结"), _("原因"),
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
            row.source.name,
            place_of(row),
            word("direction", row.direction),
            _(str(Referral.Kind(row.kind).label)),
            label(row),
        )
        for column, text in enumerate(texts):
            # As text: a name that begins with "=" must not become a formula.
            sheet.write_string(number, column, text)
        for column, name in enumerate(columns, start=len(texts)):
            value: datetime | None = getattr(row, name)
            if value is not None:
                sheet.write_datetime(number, column, timezone.localtime(value).replace(tzinfo=None), moment)
        sheet.write_string(number, len(texts) + len(columns), _reason(row))
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(heads), 18)
    book.close()
    return target.getvalue()


def sankey(found: list[Flow]) -> dict[str, Any]:
    """The flows as an ECharts Sankey: senders on the left, takers on the right, so that no circle arises."""
    found = found[:_DRAWN]
    left = {f"{one.source} ›" for one in found}
    right = {one.target or _("未选定") for one in found}
    merged: dict[tuple[str, str], int] = {}
    for one in found:
        pair = (f"{one.source} ›", one.target or _("未选定"))
        merged[pair] = merged.get(pair, 0) + one.count
    return {
        "tooltip": {"trigger": "item", "renderMode": "richText"},
        "series": [
            {
                "type": "sankey",
                "left": 8,
                "right": 140,
                "nodeGap": 10,
                "emphasis": {"focus": "adjacency"},
                "lineStyle": {"color": "gradient", "opacity": 0.35},
                "data": [{"name": name} for name in sorted(left | right)],
                "links": [{"source": a, "target": b, "value": count} for (a, b), count in merged.items()],
            }
        ],
    }


def flow_map(found: list[Flow]) -> dict[str, Any]:
    """The flows on the plane of longitude and latitude; a unit without coordinates is not drawn."""
    places = {
        one.id: (float(one.longitude), float(one.latitude), one.name)
        for one in organizations.several(ids={key for flow in found for key in (flow.source_id, flow.target_id) if key})
        if one.longitude is not None and one.latitude is not None
    }
    most = max((flow.count for flow in found), default=1)
    drawn = [flow for flow in found if flow.source_id in places and flow.target_id in places]
    total: dict[int, int] = {}
    for flow in drawn:
        for key in (flow.source_id, flow.target_id):
            total[key] = total.get(key, 0) + flow.count
    ground = _ground(places)
    axis = _axes([*((x, y) for x, y, _name in places.values()), *((x, y) for x, y, _name in ground)])
    return {
        "tooltip": {"trigger": "item", "renderMode": "richText"},
        **axis,
        "series": [
            {
                "type": "lines",
                "coordinateSystem": "cartesian2d",
                "data": [
                    {
                        "coords": [places[flow.source_id][:2], places[flow.target_id][:2]],
                        "lineStyle": {"width": 1 + 5 * flow.count / most, "curveness": 0.2, "opacity": 0.5},
                        "name": f"{flow.source} → {flow.target}：{flow.count}",
                    }
                    for flow in drawn
                ],
            },
            {
                "type": "scatter",
                "silent": True,
                "symbolSize": 4,
                "itemStyle": {"color": "#c3cdd6"},
                "data": [{"name": name, "value": [x, y]} for x, y, name in ground],
            },
            {
                "type": "scatter",
                "data": _dots(places, total),
                "label": {"show": True, "position": "right", "formatter": "{b}", "fontSize": 11},
            },
        ],
    }


def _dots(places: dict[int, tuple[float, float, str]], total: dict[int, int]) -> list[dict[str, Any]]:
    """The units by how many patients pass them; names of the busiest alone, as a hundred of them would cover the map."""
    largest = max(total.values(), default=1)
    named = sorted(total, key=lambda key: -total[key])[:_NAMED]
    return [
        {
            "name": places[key][2],
            "value": [*places[key][:2], count],
            "symbolSize": 6 + 24 * sqrt(count / largest),
            "label": {"show": key in named},
        }
        for key, count in total.items()
    ]


def _ground(places: dict[int, tuple[float, float, str]]) -> list[tuple[float, float, str]]:
    """The units beside which nothing is drawn: they give the map its shape, an own one without tiles from outside."""
    units = organizations.search(text="", kinds=_GROUND, limit=400)
    return [
        (float(one.longitude), float(one.latitude), one.name)
        for one in units
        if one.longitude is not None and one.latitude is not None and one.id not in places
    ]


def _axes(points: list[tuple[float, float]]) -> dict[str, Any]:
    """The ground: a square of kilometres around all units, east to the right and north on top, with a line every ten kilometres."""
    if not points:
        return {"xAxis": {"type": "value", "show": False}, "yAxis": {"type": "value", "show": False}}
    west, east = min(x for x, _y in points), max(x for x, _y in points)
    south, north = min(y for _x, y in points), max(y for _x, y in points)
    # A degree of longitude is shorter than one of latitude: without this the county would lie too wide.
    narrow = cos(radians((south + north) / 2))
    half = max((east - west) * narrow, north - south, 0.05) * 0.55
    middle_x, middle_y = (west + east) / 2, (south + north) / 2
    shared = {
        "type": "value",
        "axisLabel": {"show": False},
        "axisTick": {"show": False},
        "axisLine": {"lineStyle": {"color": "#c3cdd6"}},
        "splitLine": {"lineStyle": {"color": "#eef2f5"}},
        "nameLocation": "end",
    }
    tenth = 10 / _KILOMETRES_A_DEGREE
    return {
        "xAxis": {
            **shared, "name": _("东"), "min": middle_x - half / narrow, "max": middle_x + half / narrow,
            "interval": tenth / narrow,
        },
        "yAxis": {**shared, "name": _("北"), "min": middle_y - half, "max": middle_y + half, "interval": tenth},
    }  # fmt: skip


def _clock(kind: str) -> str:
    found = catalogue.stage(kind)
    return found.label(english=english()) if found else kind


def _reason(row: Referral) -> str:
    for kind, code in (
        ("decline", row.decline_code),
        ("return", row.return_code),
        ("back", row.back_code),
        ("outside", row.outside_reason),
    ):
        if code:
            return word(kind, code)
    return ""
