"""What the bed board shows."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from doorstep.coordination.beds.cases import address_of
from doorstep.coordination.beds.models import BedRequest, Stay
from doorstep.coordination.beds.queries import WardBoard
from doorstep.coordination.beds.states import BED
from doorstep.kernel.web.formats import age
from doorstep.people.residents.models import Resident
from doorstep.people.residents.named import Named, named

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


def boards(wards: list[WardBoard], requests: Iterable[BedRequest] = ()) -> list[dict[str, Any]]:
    """The wards with a tile per bed, a kept one with whom of the waiting list it is kept for; the verbs are those of the table
    that need no more than a word."""
    english = (get_language() or "").startswith("en")
    names = {row.reference: row.patient_name for row in requests}
    found = []
    for line in wards:
        tiles = []
        for bed, stay in line.beds:
            state = BED.state(bed.state)
            verbs = [
                (way.verb, way.en if english else way.zh, way.reason)
                for way in BED.verbs(bed.state)
                if way.listed and way.side == "unit" and way.verb != "vacate"
            ]
            tiles.append(
                Tile(
                    key=bed.key,
                    number=bed.number,
                    state=bed.state,
                    label=state.en if english else state.zh,
                    tone=TONES[bed.state],
                    stay=stay,
                    person=about(stay.resident) if stay else "",
                    held_until=bed.held_until,
                    held_by=names.get(bed.held_for, ""),
                    held_case=address_of(bed.held_for),
                    verbs=verbs,
                )
            )
        found.append({"ward": line.ward, "tiles": tiles, "counts": line.counts, "leaving": line.leaving})
    return found


def about(person: Resident | Named | None) -> str:
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
