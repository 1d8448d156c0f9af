"""Resources of the record as patterns: the app that writes a resource builds one with marks in it, and the marks are
filled for a whole column. So a loaded resource is what the app itself would have written."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson

from doorstep.demo.loading.houses import CONSORTIUM
from doorstep.demo.loading.lines import Batch, LinePattern, blob
from doorstep.kernel.record.publishing import Published
from doorstep.kernel.record.tokens import tokens_of

COLUMNS = (
    "type", "fhir_id", "version", "resident_id", "organization_id", "consortium_id", "episode", "category", "sensitive",
    "occurred_at", "updated_at", "tokens", "content", "deleted",
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
        tokens = ",".join(f'"{token}"' for token in tokens_of(content))
        if "\\" in text or "\t" in text:
            raise ValueError(f"a {content['resourceType']} with characters that COPY reads otherwise")
        cells = (
            content["resourceType"], "«id»", "1", "«resident»", "«organization»", str(CONSORTIUM), published.episode,
            published.category, "t" if published.sensitive else "f", "«at»:00+00", "«at»:00+00", f"{{{tokens}}}", text,
            "f",
        )  # fmt: skip
        self._pattern = LinePattern("\t".join(cells))

    def blob(self, batch: Batch) -> bytes:
        """The rows of these resources for COPY."""
        return blob(self._pattern, batch)


def picked(columns: Mapping[str, Any], rows: list[int]) -> dict[str, list[Any]]:
    """The same columns with some of their rows."""
    return {name: [column[one] for one in rows] for name, column in columns.items()}
