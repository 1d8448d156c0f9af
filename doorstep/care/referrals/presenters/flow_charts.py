"""The flows between units as options of ECharts: a Sankey and a map. Whatever names one flow leads to its cases."""

from collections import Counter
from math import cos, radians, sqrt
from statistics import median
from typing import Any
from urllib.parse import quote

from django.urls import reverse
from django.utils.translation import gettext as _

from doorstep.care.referrals.flow_queries import Flow
from doorstep.care.referrals.presenters.flow import word
from doorstep.people.organizations import queries as organizations

# Units that give the map its ground.
_GROUND = ("hospital", "township-center", "community-center", "village-clinic", "care-home")
_KILOMETRES_A_DEGREE = 111.2
# How many senders and takers a Sankey can carry and a map can name; the table beside it and the file have the others.
_SENDERS, _TAKERS, _NAMED, _LINES = 14, 8, 10, 250
_TEAL, _DEEP, _AMBER, _GREY, _BLUE = "#0f766e", "#12404b", "#b7791f", "#9aa7b2", "#1d5fa8"
_BY_DIRECTION = {"up": _TEAL, "down": _BLUE, "side": _GREY, "out": _AMBER}
# A unit may send and take: on the right its name carries a mark that nobody sees.
_RIGHT = "\u200b"
_MARGIN = 124


def sankey(found: list[Flow], *, period: str) -> dict[str, Any]:
    """The flows as a Sankey: senders on the left, takers on the right, so that no circle arises; the smaller ones together.

    A village clinic stands with its township's centre: a hundred of them would be a hundred hairs.
    """
    homes = _homes(found)
    sent, taken, outside = Counter[str](), Counter[str](), set()
    for one in found:
        sent[homes[one.source_id]] += one.count
        taken[_goal(one)] += one.count
        if not one.target_id:
            outside.add(_goal(one))
    left, right = _largest(sent, _SENDERS), _largest(taken, _TAKERS)
    merged: Counter[tuple[str, str]] = Counter()
    drawn: dict[tuple[str, str], list[Flow]] = {}
    for one in found:
        pair = (left[homes[one.source_id]], right[_goal(one)] + _RIGHT)
        merged[pair] += one.count
        if pair == (one.source, _goal(one) + _RIGHT):
            drawn.setdefault(pair, []).append(one)
    places = _single(drawn, merged, period)
    goals = {right[name] + _RIGHT: _AMBER if name in outside else _DEEP for name in taken}
    nodes = [_node(name, "left", _TEAL if name in sent else _GREY) for name in dict.fromkeys(left.values())]
    nodes += [_node(name, "right", colour) for name, colour in goals.items()]
    return {
        "tooltip": {"trigger": "item", "renderMode": "richText"},
        "series": [
            {
                "type": "sankey",
                "left": _MARGIN,
                "right": _MARGIN,
                "top": 12,
                "bottom": 12,
                "nodeGap": 14,
                "nodeWidth": 12,
                "draggable": False,
                "emphasis": {"focus": "adjacency"},
                "lineStyle": {"color": "source", "opacity": 0.25},
                "data": nodes,
                "links": [
                    {"source": a, "target": b, "value": count, **({"href": places[a, b]} if (a, b) in places else {})}
                    for (a, b), count in merged.items()
                ],
            }
        ],
    }


def _single(
    drawn: dict[tuple[str, str], list[Flow]], merged: Counter[tuple[str, str]], period: str
) -> dict[tuple[str, str], str]:
    """The cases of each line that is one flow; one that stands for two directions has no one list."""
    return {pair: _cases(flows[0], period) for pair, flows in drawn.items() if flows[0].count == merged[pair]}


def _homes(found: list[Flow]) -> dict[int, str]:
    """Under which name each sender is drawn: a village clinic under that of its township, with its villages."""
    units = organizations.several(ids={one.source_id for one in found})
    villages = {one.id: one.parent_id for one in units if one.kind == "village-clinic" and one.parent_id}
    above = organizations.names(ids=villages.values())
    townships = {key: _("%(unit)s（含村）") % {"unit": name} for key, name in above.items()}
    named = {one.source_id: townships.get(one.source_id, one.source) for one in found}
    return named | {key: townships[parent] for key, parent in villages.items() if parent in townships}


def _goal(flow: Flow) -> str:
    return flow.target or _("未选定")


def _largest(counted: Counter[str], most: int) -> dict[str, str]:
    """Each name under which it is drawn: its own for the largest, a common one for the others."""
    names = [name for name, _count in counted.most_common()]
    if len(names) <= most + 1:
        return {name: name for name in names}
    others = _("其他 %(count)s 家") % {"count": len(names) - most}
    return {name: name if place < most else others for place, name in enumerate(names)}


def _node(name: str, side: str, colour: str) -> dict[str, Any]:
    return {
        "name": name,
        "itemStyle": {"color": colour},
        "label": {
            "position": side,
            "fontSize": 11,
            "color": "#33424f",
            "width": _MARGIN - 10,
            "overflow": "truncate",
        },
    }


def _cases(flow: Flow, period: str) -> str:
    what = quote(flow.what, safe=":")
    return f"{reverse('referrals:flow-cases')}?period={period}&what={what}"


def flow_map(found: list[Flow], *, period: str) -> dict[str, Any]:
    """The flows on the plane of longitude and latitude; a unit without coordinates is not drawn."""
    places = {
        one.id: (float(one.longitude), float(one.latitude), one.name)
        for one in organizations.several(ids={key for flow in found for key in (flow.source_id, flow.target_id) if key})
        if one.longitude is not None and one.latitude is not None
    }
    drawn = [flow for flow in found[:_LINES] if flow.source_id in places and flow.target_id in places]
    ground = _ground(places)
    axes, frame = _axes([*((x, y) for x, y, _name in places.values()), *((x, y) for x, y, _name in ground)])
    shown = {key: (*frame.inside(x, y), name) for key, (x, y, name) in places.items()}
    far = {key for key, (x, y, _name) in places.items() if frame.inside(x, y) != (x, y)}
    directions = sorted({flow.direction for flow in drawn}, key=list(_BY_DIRECTION).index)
    return {
        "tooltip": {"trigger": "item", "renderMode": "richText"},
        "legend": {"bottom": 0, "icon": "roundRect", "data": [word("direction", one) for one in directions]},
        "grid": {"left": 8, "right": 8, "top": 24, "bottom": 36},
        **axes,
        "series": [
            *(_lines([one for one in drawn if one.direction == way], way, shown, period) for way in directions),
            {
                "type": "scatter",
                "silent": True,
                "symbolSize": 3,
                "itemStyle": {"color": "#c3cdd6"},
                "data": [{"name": name, "value": frame.inside(x, y)} for x, y, name in ground],
            },
            {
                "type": "scatter",
                "data": _dots(drawn, shown, far, middle=frame.x),
                "itemStyle": {"color": _DEEP, "opacity": 0.85},
                "label": {
                    "show": True, "position": "right", "formatter": "{b}", "fontSize": 11, "color": "#33424f",
                    "textBorderColor": "#fff", "textBorderWidth": 3,
                },
                # Names that would lie on each other: the busier unit keeps its own.
                "labelLayout": {"hideOverlap": True},
            },
        ],
    }  # fmt: skip


def _lines(
    flows: list[Flow], direction: str, places: dict[int, tuple[float, float, str]], period: str
) -> dict[str, Any]:
    most = max((flow.count for flow in flows), default=1)
    return {
        "type": "lines",
        "name": word("direction", direction),
        "coordinateSystem": "cartesian2d",
        # The legend takes the colour of the series' lines, not of its marks.
        "itemStyle": {"color": _BY_DIRECTION[direction]},
        "lineStyle": {"color": _BY_DIRECTION[direction]},
        "data": [
            {
                "coords": [places[flow.source_id][:2], places[flow.target_id][:2]],
                "lineStyle": {
                    "width": 1 + 5 * flow.count / most,
                    "curveness": 0.2,
                    "opacity": 0.4,
                    "color": _BY_DIRECTION[direction],
                },
                "name": f"{flow.source} → {flow.target}：{flow.count}",
                "href": _cases(flow, period),
            }
            for flow in flows
        ],
    }


def _dots(
    drawn: list[Flow], places: dict[int, tuple[float, float, str]], far: set[int], *, middle: float
) -> list[dict[str, Any]]:
    """The units by how many patients pass them, the busiest first; one that lies beyond the map stands at its edge as a triangle."""
    total: Counter[int] = Counter()
    for flow in drawn:
        for key in (flow.source_id, flow.target_id):
            total[key] += flow.count
    largest = max(total.values(), default=1)
    return [
        {
            "name": f"{places[key][2]}（{_('图外')}）" if key in far else places[key][2],
            "value": [*places[key][:2], count],
            "symbol": "triangle" if key in far else "circle",
            "symbolSize": 5 + 21 * sqrt(count / largest),
            # A name grows inwards: at the border it would be cut off.
            "label": {
                "show": place < _NAMED or key in far,
                "position": "left" if places[key][0] > middle else "right",
            },
        }
        for place, (key, count) in enumerate(total.most_common())
    ]


def _ground(places: dict[int, tuple[float, float, str]]) -> list[tuple[float, float, str]]:
    """The units beside which nothing is drawn: they give the map its shape, an own one without tiles from outside."""
    units = organizations.search(text="", kinds=_GROUND, limit=400)
    return [
        (float(one.longitude), float(one.latitude), one.name)
        for one in units
        if one.longitude is not None and one.latitude is not None and one.id not in places
    ]


class _Frame:
    """A square of kilometres around where nearly all units lie; a hospital of the next city would make the county a spot."""

    def __init__(self, points: list[tuple[float, float]]) -> None:
        """Take its middle from the medians and its size from the nearest nineteen of twenty units."""
        self.x, self.y = median(x for x, _y in points), median(y for _x, y in points)
        # A degree of longitude is shorter than one of latitude: without this the county would lie too wide.
        self.narrow = cos(radians(self.y))
        away = sorted(max(abs(x - self.x) * self.narrow, abs(y - self.y)) for x, y in points)
        self.half = max(away[int(0.95 * (len(away) - 1))] * 1.15, 0.03)

    def inside(self, x: float, y: float) -> tuple[float, float]:
        """The place itself, or where the border is nearest to it."""
        wide, high = self.half / self.narrow * 0.97, self.half * 0.97
        return min(max(x, self.x - wide), self.x + wide), min(max(y, self.y - high), self.y + high)


def _axes(points: list[tuple[float, float]]) -> tuple[dict[str, Any], _Frame]:
    """The ground: east to the right and north on top, with a line every ten kilometres."""
    frame = _Frame(points or [(0.0, 0.0)])
    if not points:
        return {"xAxis": {"type": "value", "show": False}, "yAxis": {"type": "value", "show": False}}, frame
    shared = {
        "type": "value",
        "axisLabel": {"show": False},
        "axisTick": {"show": False},
        "axisLine": {"lineStyle": {"color": "#c3cdd6"}},
        "splitLine": {"lineStyle": {"color": "#eef2f5"}},
    }
    tenth, wide = 10 / _KILOMETRES_A_DEGREE, frame.half / frame.narrow
    return {
        "xAxis": {**shared, "min": frame.x - wide, "max": frame.x + wide, "interval": tenth / frame.narrow},
        "yAxis": {**shared, "min": frame.y - frame.half, "max": frame.y + frame.half, "interval": tenth},
    }, frame
