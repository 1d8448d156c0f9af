"""What the bed board shows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from doorstep.coordination.beds.cases import KeptFor, address_of
from doorstep.coordination.beds.models import Bed, BedRequest, Stay
from doorstep.coordination.beds.queries import WaitingCount, WardBoard
from doorstep.coordination.beds.states import BED
from doorstep.kernel.web.formats import age
from doorstep.people.residents.models import Resident
from doorstep.people.residents.named import Named, named
from doorstep.people.residents.rules import spell

# How many of the waiting list a page shows; the rest is found by name or read in the Excel file.
SHOWN = 100
# The most that a search or a file reads.
READ = 2000
# By priority of a request: its name and its tone.
PRIORITIES = (("普通", "neutral"), ("急诊", "warn"), ("绿色通道", "warn"), ("危急", "critical"))
TONES = {"free": "ok", "held": "warn", "occupied": "info", "cleaning": "neutral", "closed": "plain"}


@dataclass(frozen=True, slots=True)
class Tile:
    """One bed on the board."""

    key: Any
    number: str
    state: str
    label: str
    tone: str
    stay: Any
    person: str
    held_until: Any
    held_by: str
    held_case: str
    verbs: list[tuple[str, str, bool]]


@dataclass(frozen=True, slots=True)
class Looked:
    """The board as somebody looks at it: its wards, who waits (names), how many wait, and the words that are looked for."""

    wards: list[WardBoard]
    requests: list[BedRequest]
    counts: list[WaitingCount]
    text: str = ""
    names: bool = True
    # For whom beds are kept, by the reference of the case.
    kept: Mapping[str, KeptFor] = field(default_factory=dict)

    @property
    def waiting_count(self) -> int:
        """How many wait, seen by name or not."""
        return sum(one.count for one in self.counts)


def people_on(looked: Looked) -> list[int]:
    """Whose names the board shows, in a bed or waiting: nobody's to whoever sees none."""
    stays = [stay.resident_id for line in looked.wards for _bed, stay in line.beds if stay is not None]
    kept = (one.resident_id for one in looked.kept.values())
    return [*stays, *(one.resident_id for one in looked.requests), *kept] if looked.names else []


def page_of(looked: Looked) -> dict[str, Any]:
    """What the page shows of the board; a search narrows beds and waiting list and leaves the figures whole."""
    found = [row for row in looked.requests if fits(looked.text, row.patient_name, _department(row))]
    return {
        "wards": boards(looked),
        "several": len({line.ward.organization_id for line in looked.wards}) > 1,
        "totals": {**totals(looked.wards), "waiting": looked.waiting_count},
        "waiting": waiting(found[:SHOWN], looked.wards),
        "found": len(found) if looked.text else looked.waiting_count,
        "counts": [(_(PRIORITIES[one.priority][0]), PRIORITIES[one.priority][1], one) for one in looked.counts],
        "priorities": [(_(words), tone) for words, tone in PRIORITIES],
        "text": looked.text,
        "sees_names": looked.names,
    }


def boards(looked: Looked) -> list[dict[str, Any]]:
    """The wards with a tile per bed, a kept one with whom it is kept for; the verbs are those of the table
    that need no more than a word. While a text is looked for only the beds of those whose name fits."""
    text = looked.text
    names = {row.reference: row.patient_name for row in looked.requests}
    names |= {reference: one.name for reference, one in looked.kept.items()}
    found = []
    for line in looked.wards:
        tiles = [
            _tile(bed, stay, names.get(bed.held_for, ""), looked.kept.get(bed.held_for))
            for bed, stay in line.beds
            if not text or fits(text, stay.patient_name if stay else names.get(bed.held_for, ""))
        ]
        if tiles or not text:
            found.append(
                {
                    "ward": line.ward,
                    "tiles": tiles,
                    "counts": line.counts,
                    "all": len(line.beds),
                    "leaving": line.leaving,
                }
            )
    return found


def _tile(bed: Bed, stay: Stay | None, held_by: str, kept: KeptFor | None) -> Tile:
    english = (get_language() or "").startswith("en")
    state = BED.state(bed.state)
    return Tile(
        key=bed.key,
        number=bed.number,
        state=bed.state,
        label=state.en if english else state.zh,
        tone=TONES[bed.state],
        stay=stay,
        person=about(stay.resident if stay else kept),
        held_until=bed.held_until,
        held_by=held_by,
        held_case=address_of(bed.held_for),
        verbs=[
            (way.verb, way.en if english else way.zh, way.reason)
            for way in BED.verbs(bed.state)
            if way.listed and way.side == "unit" and way.verb != "vacate"
        ],
    )


def fits(text: str, *names: str) -> bool:
    """Whether one of these names holds a text, or sounds as it is typed: 周, zhou, zgl."""
    asked = text.strip().lower().replace(" ", "")
    if not asked or any(asked in name.lower() for name in names if name):
        return True
    if not asked.isascii():
        return False
    spelled = [spell(name) for name in names if name]
    return any(one.initials.startswith(asked) or one.pinyin.replace(" ", "").startswith(asked) for one in spelled)


def _department(row: BedRequest) -> str:
    return row.department.name if row.department else ""


def about(person: Resident | Named | KeptFor | None) -> str:
    """Sex and age, as they stand at the head of a bed; "" for somebody whom the reader may not see."""
    if person is None:
        return ""
    return f"{_(str(Resident.Gender(person.gender).label))} {age(person.birth_date)}"


def facts_of(stay: Stay) -> dict[str, str]:
    """What a stay's page says of the person, and where its case is."""
    return {"person": about(stay.resident), "case": address_of(stay.reference)}


@dataclass(frozen=True, slots=True)
class Waiting:
    """One line of the waiting list: the request, sex and age, and where its case is."""

    request: BedRequest
    person: str
    case: str
    kept: str  # the bed that is kept already


def waiting(requests: Iterable[BedRequest], wards: list[WardBoard]) -> list[Waiting]:
    """The waiting list; one question for all the persons in it."""
    rows = list(requests)
    known = named(ids=[row.resident_id for row in rows])
    kept = {
        bed.held_for: f"{line.ward.name} {bed.number}" for line in wards for bed, _stay in line.beds if bed.held_for
    }
    return [
        Waiting(row, about(known.get(row.resident_id)), address_of(row.reference), kept.get(row.reference, ""))
        for row in rows
    ]


def totals(wards: list[WardBoard]) -> dict[str, int]:
    """How many beds are in each state, over all wards, with the sum and those predicted to be left."""
    counted = {state.code: sum(line.counts.get(state.code, 0) for line in wards) for state in BED.states}
    return {**counted, "all": sum(counted.values()), "leaving": sum(line.leaving for line in wards)}
