"""Resources of the record as patterns: the app that writes a resource builds one with marks in it, and the marks are
filled for a whole column. So a loaded resource is what the app itself would have written, its search index included."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson

from doorstep.demo.loading.copying import Copied
from doorstep.demo.loading.houses import CONSORTIUM
from doorstep.demo.loading.index_shapes import IndexShape
from doorstep.demo.loading.lines import Batch, LinePattern, blob
from doorstep.kernel.fhir.spans import span
from doorstep.kernel.record.publishing import Published
from doorstep.kernel.record.search_facts import facts_of
from doorstep.kernel.record.search_index import number, small

COLUMNS = (
    "id", "type", "fhir_id", "version", "resident_id", "organization_id", "consortium_id", "episode", "category",
    "sensitive", "occurred_at", "updated_at", "content", "deleted", "ref", "keys", "present",
)  # fmt: skip

# Marks that builders take for real values; they stand for the columns at, ended, day, last_day, value, other.
AT, ENDED = datetime(1900, 1, 1, tzinfo=UTC), datetime(1900, 1, 2, tzinfo=UTC)
DAY, LAST_DAY = date(1901, 1, 1), date(1901, 1, 2)
VALUE, OTHER = Decimal("111.5"), Decimal("112.5")
_MARKS: dict[str, str] = {
    AT.isoformat(): "«at»:00+00:00",
    ENDED.isoformat(): "«ended»:00+00:00",
    DAY.isoformat(): "«day»",
    LAST_DAY.isoformat(): "«last_day»",
    str(VALUE): "«value»",
    str(OTHER): "«other»",
}
_SECOND = timedelta(seconds=1)
# The first and last moments of the marks; PostgreSQL knows the hour 24.
_STARTS = {
    AT: "«at»:00+00",
    ENDED: "«ended»:00+00",
    **{span(str(one))[0]: f"{_MARKS[str(one)]} 00:00+08" for one in (DAY, LAST_DAY)},
}
_ENDS = {
    AT + _SECOND: "«at»:01+00",
    ENDED + _SECOND: "«ended»:01+00",
    **{span(str(one))[1]: f"{_MARKS[str(one)]} 24:00+08" for one in (DAY, LAST_DAY)},
}
_AMOUNTS = {float(VALUE): "value", float(OTHER): "other"}


class Shape:
    """One kind of resource with the columns id, resident, organization, at and whatever else its marks name."""

    def __init__(self, published: Published) -> None:
        content: dict[str, Any] = published.content | {
            "id": "«id»",
            "meta": {"versionId": "1", "lastUpdated": "«at»:00.000Z"},
        }
        text = orjson.dumps(content).decode()
        for mark, column in _MARKS.items():
            text = text.replace(mark, column)
        if "\\" in text or "\t" in text:
            raise ValueError(f"a {content['resourceType']} with characters that COPY reads otherwise")
        facts = facts_of(content)
        self._index = IndexShape(facts, starts=_STARTS, ends=_ENDS, amounts=_AMOUNTS)
        self._address = LinePattern(f"{content['resourceType']}/«id»")
        present = ",".join(map(str, sorted(small(name) for name in facts.present)))
        cells = (
            "«place»", content["resourceType"], "«id»", "1", "«resident»", "«organization»", str(CONSORTIUM),
            published.episode, published.category, "t" if published.sensitive else "f", "«at»:00+00", "«at»:00+00", text,
            "f", "«ref»", self._index.keys_cell, f"{{{present}}}",
        )  # fmt: skip
        self._pattern = LinePattern("\t".join(cells))

    def copied(self, batch: Batch, first: int) -> list[Copied]:
        """The rows of these resources and of their index, numbered from the first one on."""
        count = len(batch["id"])
        if not count:
            return []
        rows = dict(batch)
        rows["place"] = range(first, first + count)
        rows["ref"] = [number.__wrapped__(text) for text in self._address.lines(batch)]
        rows |= self._index.columns(batch)
        return [Copied("record_resource", COLUMNS, blob(self._pattern, rows)), *self._index.copied(rows)]


def picked(columns: Mapping[str, Any], rows: list[int]) -> dict[str, list[Any]]:
    """The same columns with some of their rows."""
    return {name: [column[one] for one in rows] for name, column in columns.items()}
