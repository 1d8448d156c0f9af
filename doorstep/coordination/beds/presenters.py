"""What the bed board shows."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language

from doorstep.coordination.beds.queries import WardBoard
from doorstep.coordination.beds.states import BED

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
    held_until: Any
    verbs: list[tuple[str, str, bool]]


def boards(wards: list[WardBoard]) -> list[dict[str, Any]]:
    """The wards with a tile per bed; the verbs are those of the table that need no more than a word."""
    english = (get_language() or "").startswith("en")
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
                    held_until=bed.held_until,
                    verbs=verbs,
                )
            )
        found.append({"ward": line.ward, "tiles": tiles, "counts": line.counts, "leaving": line.leaving})
    return found


def totals(wards: list[WardBoard]) -> dict[str, int]:
    """How many beds are in each state, over all wards, with the sum and those predicted to be left."""
    counted = {state.code: sum(line.counts.get(state.code, 0) for line in wards) for state in BED.states}
    return {**counted, "all": sum(counted.values()), "leaving": sum(line.leaving for line in wards)}
