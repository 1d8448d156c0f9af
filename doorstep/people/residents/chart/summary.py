"""The newest values beside the timeline: one line per analyte, with what came before it as a small line."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from doorstep.kernel.record.chart import Chart
from doorstep.people.residents.chart.analytes import ANALYTES
from doorstep.people.residents.chart.trends import flag_words, spark_of, unit_of
from doorstep.people.residents.chart.values import Value, number_text, values_of


@dataclass(frozen=True, slots=True)
class Recent:
    """The newest value of an analyte. `spark`: the points of an SVG polyline, "" when there is one value only."""

    key: str
    name: str
    text: str
    at: datetime
    unit: str
    flag: str
    flag_text: str
    range_text: str
    spark: str


def recent_of(chart: Chart, *, units: Mapping[int, str]) -> list[Recent]:
    """The newest values in the order of the table of analytes; those of another scale do not enter the small line."""
    held: dict[str, list[Value]] = {}
    for entries in chart.values.values():
        for value in values_of(entries):
            held.setdefault(value.analyte.key, []).append(value)
    return [
        _recent(key, sorted(held[key], key=lambda one: one.at, reverse=True), units) for key in ANALYTES if key in held
    ]


def _recent(key: str, values: list[Value], units: Mapping[int, str]) -> Recent:
    newest = values[0]
    now = [one for one in values if one.fhir_id == newest.fhir_id]
    course = [one for one in values if one.scale == newest.scale and one.part == newest.part]
    flag = next((one.flag for one in now if one.flag), "")
    text = (
        newest.text
        if len(now) == 1
        else "/".join(number_text(one.value) for one in now) + newest.text[len(number_text(newest.value)) :]
    )
    return Recent(
        key=key,
        name=str(newest.analyte.name),
        text=text,
        at=newest.at,
        unit=unit_of(newest, units),
        flag=flag,
        flag_text=flag_words(flag),
        range_text=newest.range_text,
        spark=spark_of(course),
    )
