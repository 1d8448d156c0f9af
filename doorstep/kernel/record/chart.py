"""One resident's record as a page reads it: entries by keyset, what stands in the summary, the newest values, in one statement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from doorstep.kernel.database.remembered import ask as ask_database
from doorstep.kernel.fhir import exact
from doorstep.kernel.record.queries import Entry
from doorstep.kernel.record.search_index import number

# The most values of one code that a trend draws; what is older is reached by a shorter span of time.
POINTS = 400

_CHART = "SELECT record_chart(%s::bigint, %s::jsonb)"
_SERIES = "SELECT record_series(%s, %s, %s, %s)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a page asks for. `before` is (occurred_at, id) of the last line of the page before.

    `stems` and `tokens` belong to a disease: the first three characters of its diagnoses and medicines, and the search
    tokens ("Observation.code", system, code) of what is measured for it. `series` are (system, code) of the Observations whose
    newest `points` values are wanted; without it only the entries are answered.
    """

    types: tuple[str, ...] | None = None
    not_types: tuple[str, ...] = ()
    unit: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: tuple[datetime, int] | None = None
    limit: int = 50
    stems: tuple[str, ...] | None = None
    tokens: tuple[tuple[str, str, str], ...] = ()
    series: tuple[tuple[str, str], ...] | None = None
    points: int = 8

    def to_json(self) -> dict[str, Any]:
        """The question as the database reads it; one line more than the page holds tells whether there is another page."""
        at, last = self.before or (None, None)
        asked: dict[str, Any] = {
            "types": None if self.types is None else list(self.types),
            "unit": self.unit,
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
            "before": {"at": at.isoformat(), "id": last} if at else None,
            "stems": None if self.stems is None else list(self.stems),
            "series": None if self.series is None else [_observed(*one) for one in self.series],
        }
        asked = {name: value for name, value in asked.items() if value is not None}
        keys = [number(f"{name}|s|{system}|{code.casefold()}") for name, system, code in self.tokens]
        return {
            **asked,
            "not_types": list(self.not_types),
            "keys": keys,
            "points": self.points,
            "limit": self.limit + 1,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """The answer. `values` holds the newest Observations of each (system, code) that was asked for. The contents of its entries
    are what lines of a page say: without attachments, narrative and references that no line shows.

    `wide`: the actor sees the whole record; `unveiled`: until when sensitive entries are open to the actor. `veiled` counts
    the entries that are not, by type. `more`: there are entries before the last one.
    """

    wide: bool
    unveiled: datetime | None
    entries: list[Entry]
    more: bool
    last: tuple[datetime, int] | None
    problems: list[Entry]
    medicines: list[Entry]
    kinds: Mapping[str, int]
    units: Mapping[int, int]
    first: datetime | None
    veiled: Mapping[str, int]
    values: Mapping[tuple[str, str], list[Entry]]


def chart(*, resident_id: int, ask: Ask) -> Chart | None:
    """A page of a resident's record; None when the actor may not see the resident. The caller records the look."""
    text = ask_database(_CHART, [resident_id, exact.dumps(ask.to_json()).decode()])[0][0]
    if text is None:
        return None
    found = exact.kept(text)
    entries = {row[0]: Entry(row[1], row[2], datetime.fromisoformat(row[3]), *row[4:]) for row in found["rows"]}
    page: list[int] = found["entries"][: ask.limit]
    told = found["told"]
    names = {str(_observed(*one)): one for one in ask.series or ()}
    return Chart(
        wide=found["wide"],
        unveiled=_moment(found["unveiled"]),
        entries=[entries[id] for id in page],
        more=len(found["entries"]) > ask.limit,
        last=(entries[page[-1]].occurred_at, page[-1]) if page else None,
        problems=[entries[id] for id in told.get("problems", ())],
        medicines=[entries[id] for id in told.get("medicines", ())],
        kinds=told.get("kinds", {}),
        units={int(unit): count for unit, count in told.get("units", {}).items()},
        first=_moment(told.get("first")),
        veiled=told.get("veiled_kinds", {}),
        values={names[key]: [entries[id] for id in ids] for key, ids in told.get("values", {}).items()},
    )


def series(
    *, resident_id: int, codes: Sequence[tuple[str, str]], since: datetime | None = None, points: int = POINTS
) -> list[Entry]:
    """The Observations of these (system, code) since a moment, newest first, at most `points` of each code.

    Nothing of a resident whom the actor may not see. The caller records the look.
    """
    with connection.cursor() as cursor:
        keys = [_observed(*one) for one in codes]
        cursor.execute(_SERIES, [resident_id, keys, since.isoformat() if since else "-infinity", points])
        return [_entry(row) for row in exact.loads(cursor.fetchone()[0])]


def _observed(system: str, code: str) -> int:
    return number(f"Observation.code|s|{system}|{code.casefold()}")


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _entry(row: Mapping[str, Any]) -> Entry:
    return Entry(
        row["type"],
        row["fhir_id"],
        datetime.fromisoformat(row["occurred_at"]),
        row["organization_id"],
        row["episode"],
        row["category"],
        row["sensitive"],
        row["content"],
    )
