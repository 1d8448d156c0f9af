"""Trends: each analyte on each of its scales, its values marked by laboratory with that laboratory's range; as chart and as table."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from doorstep.kernel.web.formats import moment
from doorstep.kernel.web.speaking import gettext as _
from doorstep.people.residents.chart.analytes import ANALYTES, DIASTOLIC, SYSTOLIC, Analyte, written
from doorstep.people.residents.chart.values import Value, number_text

_SYMBOLS = ("circle", "triangle", "rect", "diamond", "pin", "arrow")
_ALARM = "#c01f2e"
_THREAD = "#b4c0ca"
_NO_LETTER = re.compile(r"[^A-Za-z0-9]+")
_SHORT_SPAN_DAYS = 90
# Goals drawn into the chart of blood pressure: 国家基层高血压防治管理指南 2025 版, as the danger rule of visits reads it.
_GOALS = {SYSTOLIC: 140, DIASTOLIC: 90}
SPARK_WIDTH, SPARK_HEIGHT = 96, 26


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table that says the same as the chart."""

    at: datetime
    texts: tuple[str, ...]
    range_text: str
    unit: str
    flag: str
    note: str
    fhir_id: str


@dataclass(frozen=True, slots=True)
class Trend:
    """One analyte on one scale. `other_scale`: the same analyte was also sent in a unit that does not convert exactly."""

    key: str
    name: str
    unit: str
    group: str
    parts: tuple[str, ...]
    values: list[Value]
    rows: list[Row]
    options: dict[str, Any]
    other_scale: bool


def trends_of(values: Iterable[Value], *, units: Mapping[int, str]) -> list[Trend]:
    """Every trend among the values, in the order of the table of analytes; values come newest first."""
    by_scale: dict[tuple[str, str], list[Value]] = {}
    for value in values:
        by_scale.setdefault((value.analyte.key, value.scale), []).append(value)
    scales: dict[str, int] = {}
    for key, _scale in by_scale:
        scales[key] = scales.get(key, 0) + 1
    order = list(ANALYTES)
    return [
        _trend(ANALYTES[key], scale, held, units=units, other_scale=scales[key] > 1)
        for (key, scale), held in sorted(by_scale.items(), key=lambda one: order.index(one[0][0]))
    ]


def unit_of(value: Value, units: Mapping[int, str]) -> str:
    """Who made a value, in words."""
    if value.by_patient:
        return _("居民自测")
    return units.get(value.organization_id or 0, "") or _("来源未注明")


def flag_words(flag: str) -> str:
    """What a mark says."""
    return {"high": _("偏高"), "low": _("偏低"), "abnormal": _("异常")}.get(flag, "")


def spark_of(values: Sequence[Value]) -> str:
    """The points of a small line of values, newest first, as an SVG polyline; "" for fewer than two."""
    if len(values) < 2:
        return ""
    times = [one.at.timestamp() for one in values]
    figures = [float(one.value) for one in values]
    start, span = min(times), (max(times) - min(times)) or 1.0
    bottom, height = min(figures), (max(figures) - min(figures)) or 1.0
    points = [
        (
            2 + (at - start) / span * (SPARK_WIDTH - 4),
            SPARK_HEIGHT - 3 - (figure - bottom) / height * (SPARK_HEIGHT - 6),
        )
        for at, figure in zip(times, figures, strict=True)
    ]
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in reversed(points))


def _trend(analyte: Analyte, scale: str, values: list[Value], *, units: Mapping[int, str], other_scale: bool) -> Trend:
    return Trend(
        key=f"{analyte.key}-{_NO_LETTER.sub('-', scale)}" if other_scale and scale != _first(analyte) else analyte.key,
        name=str(analyte.name),
        unit=written(scale),
        group=analyte.group,
        parts=tuple(str(name) for _code, name in analyte.parts),
        values=values,
        rows=_rows(analyte, values, units),
        options=_options(analyte, values, units),
        other_scale=other_scale,
    )


def _first(analyte: Analyte) -> str:
    return next(iter(analyte.codes.values()))


def _rows(analyte: Analyte, values: list[Value], units: Mapping[int, str]) -> list[Row]:
    together: dict[tuple[datetime, str], list[Value]] = {}
    for value in values:
        together.setdefault((value.at, value.fhir_id), []).append(value)
    found = []
    for (at, fhir_id), held in together.items():
        parts = {one.part: one for one in held}
        texts = tuple(number_text(parts[code].value) if code in parts else "" for code, _name in analyte.parts)
        first = held[0]
        notes = [flag_words(one.flag) for one in held if one.flag]
        notes += [_("原报 %(value)s") % {"value": first.sent}] if first.sent else []
        notes += [_("初步结果")] if first.preliminary else []
        found.append(
            Row(
                at=at,
                texts=texts or (first.text,),
                range_text=first.range_text,
                unit=unit_of(first, units),
                flag=next((one.flag for one in held if one.flag), ""),
                note="，".join(dict.fromkeys(notes)),
                fhir_id=fhir_id,
            )
        )
    return found


def _options(analyte: Analyte, values: list[Value], units: Mapping[int, str]) -> dict[str, Any]:
    """ECharts options: a pale thread through all values of a part, and the values of each laboratory with a symbol of its own."""
    names = list(dict.fromkeys(unit_of(one, units) for one in values))
    parts = [code for code, _name in analyte.parts] or [""]
    series: list[dict[str, Any]] = []
    for part in parts:
        series.append(_thread(part, [one for one in values if one.part == part]))
    for number, name in enumerate(names):
        own = [one for one in values if unit_of(one, units) == name]
        for place, part in enumerate(parts):
            held = [one for one in own if one.part == part]
            series.append(_points(name, number, held, analyte, hollow=place > 0))
        series += _bounds(name, [one for one in own if one.part == parts[0]])
    return {
        "animation": False,
        "tooltip": {"trigger": "item", "renderMode": "richText", "formatter": "{b}"},
        "legend": {"data": names, "top": 0, "left": 0, "itemWidth": 10, "itemHeight": 10, "itemGap": 16},
        "grid": {
            "left": 8,
            "right": 24,
            "top": 16 + 22 * ((len(names) + 1) // 2),
            "bottom": 8,
            "outerBoundsMode": "same",
            "outerBoundsContain": "axisLabel",
        },
        "xAxis": {
            "type": "time",
            "splitNumber": 4,
            "axisLabel": {"formatter": _date_pattern(values), "hideOverlap": True},
        },
        "yAxis": {"type": "value", "scale": True, "splitNumber": 4},
        "series": series,
    }


def _thread(part: str, values: list[Value]) -> dict[str, Any]:
    line: dict[str, Any] = {
        "type": "line",
        "data": [[one.at.isoformat(), _figure(one.value)] for one in reversed(values)],
        "showSymbol": False,
        "silent": True,
        "z": 1,
        "lineStyle": {"color": _THREAD, "width": 1.5},
        "tooltip": {"show": False},
    }
    if part in _GOALS:
        line["markLine"] = {
            "symbol": "none",
            "silent": True,
            "lineStyle": {"color": "#8a5200", "type": "dotted"},
            "label": {"formatter": str(_GOALS[part]), "position": "insideEndTop"},
            "data": [{"yAxis": _GOALS[part]}],
        }
    return line


def _points(name: str, number: int, values: list[Value], analyte: Analyte, *, hollow: bool) -> dict[str, Any]:
    parts = {code: str(label) for code, label in analyte.parts}
    symbol = _SYMBOLS[number % len(_SYMBOLS)]
    data = []
    for one in reversed(values):
        words = [
            moment(one.at),
            " ".join(filter(None, [parts.get(one.part, ""), one.text, flag_words(one.flag)])),
            name,
        ]
        words += [_("参考范围 %(range)s") % {"range": one.range_text}] if one.range_text else []
        words += [_("原报 %(value)s") % {"value": one.sent}] if one.sent else []
        point: dict[str, Any] = {"value": [one.at.isoformat(), _figure(one.value)], "name": "\n".join(words)}
        if one.flag:
            point["itemStyle"] = {"color": _ALARM, "borderColor": _ALARM}
        data.append(point)
    return {
        "type": "scatter",
        "name": name,
        "symbol": f"empty{symbol.capitalize()}" if hollow else symbol,
        "symbolSize": 9,
        "z": 3,
        "data": data,
    }


def _bounds(name: str, values: list[Value]) -> list[dict[str, Any]]:
    """The range of one laboratory as two thin steps over the time in which it measured; nothing without a range."""
    lines = []
    for side in ("low", "high"):
        held = [(one.at.isoformat(), getattr(one, side)) for one in reversed(values) if getattr(one, side) is not None]
        if len(held) > 1:
            lines.append(
                {
                    "type": "line",
                    "name": name,
                    "step": "end",
                    "data": [[at, _figure(bound)] for at, bound in held],
                    "showSymbol": False,
                    "silent": True,
                    "z": 0,
                    "lineStyle": {"type": "dashed", "width": 1, "opacity": 0.6},
                    "tooltip": {"show": False},
                }
            )
    return lines


def _figure(value: Decimal) -> float:
    return float(value)


def _date_pattern(values: list[Value]) -> str:
    days = [timezone.localtime(one.at).date() for one in values]
    return "{MM}-{dd}" if (max(days) - min(days)).days < _SHORT_SPAN_DAYS else "{yyyy}-{MM}"
