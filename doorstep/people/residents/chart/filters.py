"""What the timeline shows: kind, unit, disease and period stand in the address, so a filter survives reload and can be sent on."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from doorstep.kernel.fhir import systems
from doorstep.kernel.record.chart import Ask, Chart
from doorstep.people.residents.chart.analytes import ANALYTES, SERIES
from doorstep.people.residents.chart.diseases import BY_KEY, Family
from doorstep.people.residents.presenters import HIDDEN, KINDS, OTHER, OTHER_NAME, kind_of

# Days back from today.
PERIODS: dict[str, tuple[Any, int]] = {
    "30d": (gettext_lazy("近 30 天"), 30),
    "6m": (gettext_lazy("近半年"), 183),
    "1y": (gettext_lazy("近 1 年"), 366),
    "3y": (gettext_lazy("近 3 年"), 1096),
}
_PAGE = 50
_STUDIES = ("DiagnosticReport.code", "ServiceRequest.code", "DocumentReference.type", "Observation.code")


@dataclass(frozen=True, slots=True)
class Filter:
    """The filter of one page; "" and None choose everything."""

    kind: str = ""
    unit: int | None = None
    disease: str = ""
    period: str = ""

    def query(self, **changes: Any) -> str:
        """The query of the address with some choices changed: "?kind=visit&unit=16"."""
        chosen = replace(self, **changes)
        names = ("kind", "unit", "disease", "period")
        given = {name: value for name in names if (value := getattr(chosen, name))}
        return f"?{urlencode(given)}" if given else "?"

    @property
    def is_open(self) -> bool:
        """Whether nothing is filtered."""
        return self == Filter()


@dataclass(frozen=True, slots=True)
class Chip:
    """One choice of a filter, as a link."""

    label: str
    href: str
    active: bool
    count: int | None = None


def filter_of(given: Mapping[str, str]) -> Filter:
    """The filter of an address; what is none is left out."""
    kind, unit, disease, period = (given.get(name, "") for name in ("kind", "unit", "disease", "period"))
    return Filter(
        kind=kind if kind in KINDS or kind == OTHER else "",
        unit=int(unit) if unit.isascii() and unit.isdecimal() and len(unit) < 18 else None,
        disease=disease if disease in BY_KEY else "",
        period=period if period in PERIODS else "",
    )


def before_of(text: str) -> tuple[datetime, int] | None:
    """The last line of the page before, as `after` writes it; None for the first page."""
    at, _tilde, number = text.partition("~")
    try:
        moment, last = datetime.fromisoformat(at), int(number)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC), last) if 0 < last < 2**62 else None


def after(chart: Chart) -> str:
    """Where the next page begins; "" when this is the last one."""
    return f"{chart.last[0].isoformat()}~{chart.last[1]}" if chart.more and chart.last else ""


def ask_of(chosen: Filter, *, now: datetime, before: tuple[datetime, int] | None, summary: bool) -> Ask:
    """The question to the record; `summary` also asks for problems, medicines and the newest values."""
    types: tuple[str, ...] | None = None
    not_types = tuple(sorted(HIDDEN))
    if chosen.kind == OTHER:
        not_types += tuple(type for _label, held in KINDS.values() for type in held)
    elif chosen.kind:
        types = KINDS[chosen.kind][1]
    family = BY_KEY.get(chosen.disease)
    return Ask(
        types=types,
        not_types=not_types,
        unit=chosen.unit,
        since=now - timedelta(days=PERIODS[chosen.period][1]) if chosen.period else None,
        before=before,
        limit=_PAGE,
        stems=family.stems if family else None,
        tokens=tokens_of(family) if family else (),
        series=SERIES if summary else None,
    )


def tokens_of(family: Family) -> tuple[tuple[str, str, str], ...]:
    """The search tokens of what is measured and examined for a disease."""
    measured = [code for key in family.analytes for code in ANALYTES[key].codes]
    tokens = [("Observation.code", systems.LOINC, code) for code in measured]
    tokens += [(name, systems.LOINC, code) for code in family.studies for name in _STUDIES]
    return tuple(tokens)


def chips_of(
    chosen: Filter, chart: Chart, *, units: Mapping[int, str], families: list[Family]
) -> dict[str, list[Chip]]:
    """The choices by dimension; a second click on a chosen one takes it back."""
    counts: dict[str, int] = {}
    for type, number in chart.kinds.items():
        if type in HIDDEN:
            continue
        counts[kind_of(type)] = counts.get(kind_of(type), 0) + number
    labels = {**{name: label for name, (label, _types) in KINDS.items()}, OTHER: OTHER_NAME}
    kinds = [Chip(_("全部"), chosen.query(kind=""), not chosen.kind, sum(counts.values()))]
    kinds += [
        Chip(str(label), chosen.query(kind=name), chosen.kind == name, counts.get(name))
        for name, label in labels.items()
        if counts.get(name) or chosen.kind == name
    ]
    by_count = sorted(chart.units.items(), key=lambda one: -one[1])
    return {
        "kind": kinds,
        "unit": [
            Chip(units[unit], chosen.query(unit=None if chosen.unit == unit else unit), chosen.unit == unit, number)
            for unit, number in by_count
            if unit in units
        ],
        "disease": [
            Chip(
                str(one.name),
                chosen.query(disease="" if chosen.disease == one.key else one.key),
                chosen.disease == one.key,
            )
            for one in families
        ],
        "period": [
            Chip(str(label), chosen.query(period="" if chosen.period == name else name), chosen.period == name)
            for name, (label, _days) in PERIODS.items()
        ],
    }
