"""The timeline's lines: what one unit measured on one day stands together, everything else has a line of its own."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from doorstep.kernel.record.queries import Entry
from doorstep.kernel.web.formats import CHINA
from doorstep.kernel.web.speaking import gettext as _
from doorstep.people.residents.chart.trends import flag_words
from doorstep.people.residents.chart.values import may_be_marked, values_of
from doorstep.people.residents.presenters import HIDDEN, Day, Line, is_withdrawn, line_of

# A document in the record: what was read out of it, and the file.
_PAPER = ("Composition", "DocumentReference")
# How many values a folded line says before it is opened.
_SAID = 6


def days_of(entries: Iterable[Entry], *, units: Mapping[int, str]) -> list[Day]:
    """Entries in their order by the day in China, the measurements of a unit on that day folded into one line."""
    shown = [entry for entry in entries if entry.type not in HIDDEN]
    return [
        Day(day, _folded(list(held), units))
        for day, held in groupby(shown, lambda entry: entry.occurred_at.astimezone(CHINA).date())
    ]


def _folded(entries: Sequence[Entry], units: Mapping[int, str]) -> list[Line]:
    """What was measured together stands where its first value stands."""
    held: list[list[Entry]] = []
    # What measurements of a line share: the unit, whether a laboratory's, whether withdrawn.
    measured: dict[tuple[int | None, bool, bool], list[Entry]] = {}
    papers: dict[tuple[object, ...], list[list[Entry]]] = {}
    for entry in entries:
        if entry.type in _PAPER and not entry.sensitive:
            _beside(entry, papers, held)
            continue
        if entry.type != "Observation" or entry.sensitive:
            held.append([entry])
            continue
        mark = (entry.organization_id, entry.category == "laboratory", is_withdrawn(entry.content))
        alike = measured.get(mark)
        if alike is None:
            measured[mark] = alike = []
            held.append(alike)
        alike.append(entry)
    return [_line(alike, units) for alike in held]


def _beside(entry: Entry, papers: dict[tuple[object, ...], list[list[Entry]]], held: list[list[Entry]]) -> None:
    """A shared document's file and what was read out of it are one thing of the record."""
    kind = str(entry.content.get("type"))
    alike = papers.setdefault((entry.organization_id, entry.occurred_at, kind), [])
    waiting = next((one for one in alike if len(one) == 1 and one[0].type != entry.type), None)
    if waiting is None:
        alike.append([entry])
        held.append(alike[-1])
    else:
        waiting.insert(0 if entry.type == "Composition" else 1, entry)


def _line(entries: Sequence[Entry], units: Mapping[int, str]) -> Line:
    if len(entries) > 1 and entries[0].type in _PAPER:
        read, file = (line_of(one, units=units) for one in entries)
        said = _("可看正文和对方发来的原件")
        return read._replace(detail=said, parts=(read, file._replace(title=_("原件"), detail=file.title)))
    if len(entries) > 1:
        return _together(entries, units)
    [entry] = entries
    return _marked(entry, units) if entry.type == "Observation" and not entry.sensitive else line_of(entry, units=units)


def _together(entries: Sequence[Entry], units: Mapping[int, str]) -> Line:
    parts = [_marked(one, units) for one in entries]
    first = parts[0]
    said = "，".join(f"{one.title} {one.detail}" for one in parts[:_SAID])
    if len(parts) > _SAID:
        said += _("…共 %(count)s 项") % {"count": len(parts)}
    return Line(
        at=first.at,
        kind="vital",
        icon=first.icon,
        title=_("检验") if entries[0].category == "laboratory" else _("测量"),
        detail=said,
        plain="",
        who=first.who,
        tone="warn" if any(one.tone == "warn" for one in parts) else "neutral",
        sensitive=False,
        parts=tuple(parts),
    )


def _marked(entry: Entry, units: Mapping[int, str]) -> Line:
    """The line of one measurement, with the mark of its laboratory."""
    line = line_of(entry, units=units)
    if not may_be_marked(entry.content):
        return line
    flags = {one.flag for one in values_of([entry]) if one.flag}
    if not flags:
        return line
    arrows = {"high": "↑", "low": "↓"}
    mark = "".join(arrows.get(one, flag_words(one)) for one in sorted(flags))
    return line._replace(detail=f"{line.detail} {mark}", tone="warn")
