"""The index of searches of one kind of resource as patterns of COPY lines: what differs by row is hashed for a whole column."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache, partial
from typing import Any

from doorstep.demo.loading.copying import Copied
from doorstep.demo.loading.lines import NULL, Batch, LinePattern, blob
from doorstep.kernel.fhir.parameters import parameters
from doorstep.kernel.fhir.units import canonical
from doorstep.kernel.fhir.words import compared, plain
from doorstep.kernel.record.search_facts import Amount, Facts
from doorstep.kernel.record.search_index import amount_row, instant, number

TABLES = ("record_searchkey", "record_searchlink", "record_searchdate", "record_searchamount", "record_searchstring")
# Words repeat from batch to batch: they go here first. WORDS_BEGIN makes the table, WORDS_END empties it into the index.
WORDS = "loaded_word"
WORDS_BEGIN = f"CREATE TEMPORARY TABLE {WORDS} (name bigint, norm text, key bigint) ON COMMIT DROP"
WORDS_END = f"""
INSERT INTO record_searchword (name, norm, key) SELECT DISTINCT name, norm, key FROM {WORDS} ON CONFLICT DO NOTHING
"""
_AMOUNT_COLUMNS = (
    "resource_id", "resident_id", "name", "place", "low", "high", "unit", "code", "system_code", "base", "base_low", "base_high",
)  # fmt: skip
_STRING_COLUMNS = ("resource_id", "resident_id", "name", "place", "norm", "text")
Make = Callable[[Batch], list[Any]]
# Cells of the lines of one resource in one table.
Lines = list[tuple[str, ...]]


class IndexShape:
    """Index rows of a kind of resource, from the facts of its pattern."""

    def __init__(
        self,
        facts: Facts,
        *,
        starts: Mapping[datetime, str],
        ends: Mapping[datetime, str],
        amounts: Mapping[float, str],
    ) -> None:
        self._starts, self._ends, self._amounts = starts, ends, amounts
        self._made: dict[str, Make] = {}
        keys = [self._hashed(key, plain if "|t|" in key else _folded) for key in sorted(facts.keys)]
        self.keys_cell = "{" + ",".join(keys) + "}"
        self._patterns: dict[str, tuple[tuple[str, ...], Lines]] = {
            "record_searchkey": (("key", "resource_id"), [(key, "«place»") for key in keys]),
            "record_searchlink": (("name", "target", "resource_id"), self._links(facts)),
            "record_searchdate": (("resource_id", "name", "place", "low", "high"), self._dates(facts)),
            "record_searchamount": (_AMOUNT_COLUMNS, self._amount_lines(facts)),
            "record_searchstring": (_STRING_COLUMNS, self._strings(facts)),
        }
        self._words = sorted(facts.words)

    def _links(self, facts: Facts) -> Lines:
        return [(str(number(name)), self._hashed(target, str), "«place»") for name, target in sorted(facts.links)]

    def _dates(self, facts: Facts) -> Lines:
        return [
            (
                "«place»",
                str(number(name)),
                str(place),
                self._starts.get(low) or instant(low),
                self._ends.get(high) or instant(high),
            )
            for place, (name, low, high) in enumerate(sorted(facts.dates), start=1)
        ]

    def _amount_lines(self, facts: Facts) -> Lines:
        return [
            ("«place»", "«resident»", str(number(name)), str(place), *self._amount(amount))
            for place, (name, amount) in enumerate(sorted(facts.amounts, key=repr), start=1)
        ]

    def _strings(self, facts: Facts) -> Lines:
        return [
            ("«place»", "«resident»", str(number(name)), str(place), self._norm(name, norm, text), text)
            for place, (name, norm, text) in enumerate(sorted(facts.strings), start=1)
        ]

    def columns(self, batch: Batch) -> dict[str, list[Any]]:
        """What has to be made of a batch's columns before its lines can be written."""
        return {name: make(batch) for name, make in self._made.items()}

    def copied(self, rows: Batch) -> Iterator[Copied]:
        """Index rows of a batch that has its columns."""
        for table, (names, lines) in self._patterns.items():
            if lines:
                pattern = LinePattern("\n".join("\t".join(cells) for cells in lines))
                yield Copied(table, names, blob(pattern, rows))
        words = {line for name, norm, _key in self._words for line in _word_lines(name, norm, rows)}
        if words:
            yield Copied(WORDS, ("name", "norm", "key"), "".join(sorted(words)).encode())

    def _column(self, make: Make) -> str:
        name = f"made_{'x' * len(self._made)}"
        self._made[name] = make
        return f"«{name}»"

    def _hashed(self, text: str, fold: Callable[[str], str]) -> str:
        """The number of a text, or the column of its numbers when it holds marks."""
        if "«" not in text:
            return str(number(text))
        pattern = LinePattern(text)
        return self._column(
            lambda batch: [number.__wrapped__(line) for line in pattern.lines(_changed(batch, pattern, fold))]
        )

    def _norm(self, name: str, norm: str, text: str) -> str:
        if "«" not in text:
            return norm
        pattern, (type, _, code) = LinePattern(text), name.partition(".")
        say = partial(compared, parameters(type)[code])
        return self._column(lambda batch: list(map(say, pattern.lines(batch))))

    def _amount(self, amount: Amount) -> list[str]:
        cells = [NULL if cell is None else str(cell) for cell in amount_row(amount)]
        column = self._amounts.get(amount.low)
        if column and amount.low == amount.high:
            cells[0] = cells[1] = f"«{column}»"
            base = canonical(amount.code) if amount.base else None
            if base:
                cells[6] = cells[7] = self._column(
                    lambda batch: [float(base.of(Decimal(str(one)))) for one in batch[column]]
                )
        return cells


def _folded(text: str) -> str:
    return text.strip().casefold()


def _changed(batch: Batch, pattern: LinePattern, change: Callable[[str], str]) -> dict[str, Any]:
    if change is str:
        return {name: batch[name] for name in pattern.names}
    kept = cache(change)
    return {name: [kept(str(one)) for one in batch[name]] for name in pattern.names}


def _word_lines(name: str, norm: str, rows: Batch) -> Iterator[str]:
    texts = {plain(text) for text in LinePattern(norm).lines(rows)} if "«" in norm else {norm}
    for text in texts:
        yield f"{number(name)}\t{text}\t{number(f'{name}|t|{text}')}\n"
