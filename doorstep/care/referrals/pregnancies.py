"""What problems and observations say of a pregnancy to the criteria: the newest word counts, and it ends by itself. Pure."""

import re
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

from doorstep.care.referrals.criteria import Fact
from doorstep.coordination.visits.pregnancy import (
    ASKED_FROM,
    ASKED_UNTIL,
    NURSING,
    PREGNANT,
    Said,
    carries,
    newest,
    nurses,
)

# Abortion, delivery, its outcome and childbed (ICD-10): they end what was before.
_OVER: Final = ("O00", "O01", "O02", "O03", "O04", "O05", "O06", "O07", "O08", "O8", "O90", "O91", "O92", "Z37", "Z39")
_CARRIED: Final = ("O", "Z33", "Z34", "Z35", "Z36")
_ICD10: Final = re.compile(r"[A-Z]\d\d")
_OVER_WORDS: Final = re.compile(r"产褥期|产后|分娩后|流产后|引产后")
_CARRIED_WORDS: Final = re.compile(r"妊娠|怀孕|孕 ?[0-9]+ ?[+周]")
_WEEKS: Final = re.compile(r"(?:孕|妊娠|宫内孕) ?(\d{1,2})(?: ?[周+])")


def said_by(code: str, text: str, on: date | None, *, affirmed: Iterable[str], standing: bool = True) -> Said | None:
    """What a problem of a day says; `affirmed` are the parts of its words that say she is, `standing` whether it is not over."""
    if on is None:
        return None
    if _ICD10.match(code):
        over, carried = code.startswith(_OVER), code.startswith(_CARRIED)
    else:
        # "异位妊娠史" and "孕 3 产 1" tell of what was.
        parts = [part for part in affirmed if "史" not in part]
        over = any(_OVER_WORDS.search(part) for part in parts)
        carried = any(_CARRIED_WORDS.search(part) for part in parts)
    if over:
        return Said(status=NURSING, on=on, since=on)
    if not (carried and standing):
        return None
    weeks = _WEEKS.search(text)
    return Said(status=PREGNANT, on=on, since=on - timedelta(weeks=int(weeks[1])) if weeks else None)


def pregnancy_facts(said: Iterable[Said], *, now: Said | None, gender: str, age: int, day: date) -> dict[str, Fact]:
    """Whether she is pregnant or in childbed, and whether she nurses: what the form says `now`, else the newest word of the record.

    What nobody said is unknown, but of men, of children and of the old.
    """
    last = now or newest(said, day=day)
    if last is None:
        cannot = gender == "male" or not ASKED_FROM <= age < ASKED_UNTIL
        return {name: Fact(value=False) for name in ("pregnant", "nursing")} if cannot else {}
    found = {"pregnant": carries(last, day=day), "nursing": nurses(last, day=day)}
    return {name: Fact(value=value, on=last.on) for name, value in found.items() if value is not None}
