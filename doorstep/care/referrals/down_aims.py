"""Where a patient may go from the hospital, what the unit that takes over must be and do for it, and which aim is proposed first.

Pure. No national text orders these; the choice follows 关于推进分级诊疗 (rehabilitation, long-term care and home care below the hospital) and
is this house's own until a consortium sets it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_noop

_PRIMARY = ("township-center", "community-center")
HOSPITAL = "hospital"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """One place to go: `kinds` of units that are offered, `skills` they need, whether a `bed` of these `wards` (kinds of beds; () for any).

    A hospital among the kinds is offered only when it has said that it takes patients back and what it can do: most hospitals treat, and
    nobody looks for a rehabilitation bed in a maternity house.

    `arrives`: the receiver takes over first and expects the patient; without it the patient comes to the first follow-up.
    """

    text: str
    kinds: tuple[str, ...] = _PRIMARY
    skills: tuple[str, ...] = ()
    bed: bool = False
    wards: tuple[str, ...] = ()
    arrives: bool = True
    arrival: str = gettext_noop("登记到达")
    expects: str = gettext_noop("到达时间")


CLINIC, BED, REHABILITATION, CARE_HOME, HOME = "clinic", "bed", "rehab", "care-home", "home"
_IN_A_CENTRE = ("general", "rehab")

AIMS: dict[str, Aim] = {
    CLINIC: Aim(text=gettext_noop("基层门诊（家庭医生）"), arrives=False),
    BED: Aim(text=gettext_noop("基层住院床位"), bed=True, wards=_IN_A_CENTRE, arrival=gettext_noop("登记入住")),
    REHABILITATION: Aim(
        text=gettext_noop("康复"),
        kinds=(*_PRIMARY, HOSPITAL),
        skills=("rehab",),
        wards=("rehab",),
        arrival=gettext_noop("登记康复接诊"),
    ),
    CARE_HOME: Aim(
        text=gettext_noop("养老与照护机构"),
        kinds=("care-home",),
        skills=("care",),
        bed=True,
        wards=("care",),
        arrival=gettext_noop("登记入住"),
    ),
    HOME: Aim(
        text=gettext_noop("居家（家庭医生上门）"),
        skills=("home-visit",),
        arrival=gettext_noop("登记首次上门"),
        expects=gettext_noop("首次上门时间"),
    ),
}
TEXTS = {code: aim.text for code, aim in AIMS.items()}
# Aims whose patient is expected after the unit has taken over.
ARRIVING = frozenset(code for code, aim in AIMS.items() if aim.arrives)


def propose(*, skills: tuple[str, ...], said: Mapping[str, Any]) -> tuple[str, str]:
    """The aim that a plan's skills and the ward's last round call for, and why in words ("" where nothing asks for more than a clinic).

    `said`: facts of the round; what nobody said asks for nothing.
    """
    if said.get("needs_care") is True:
        return CARE_HOME, gettext_noop("查房记录：生活不能自理，需长期照护")
    if "rehab" in skills:
        return REHABILITATION, gettext_noop("康复计划需要康复训练")
    if said.get("needs_bed") is True:
        return BED, gettext_noop("查房记录：仍需住院治疗或护理")
    if said.get("housebound") is True:
        return HOME, gettext_noop("查房记录：行动不便，不能到门诊")
    return CLINIC, ""


def fits_kind(aim: str, kind: str) -> bool:
    """Whether a unit of a kind may be asked for an aim: a care home for its own aim alone, which nobody else has."""
    return (kind == "care-home") == (aim == CARE_HOME)
