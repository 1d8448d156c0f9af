"""How far a referral has come: its steps, its history, what brought it back, and where the patient is expected."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.care.referrals.down_aims import ARRIVING
from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.presenters.words import english
from doorstep.kernel.access.actor import SYSTEM_NAME

_ROAD = (
    (
        "submitted",
        ("submitted", "submitted_green", "returned", "offered", "declined", "advised"),
        "submitted_at",
    ),
    ("accepted", ("accepted", "on_the_way", "not_arrived"), "accepted_at"),
    ("arrived", ("arrived",), "arrived_at"),
    ("in_treatment", ("in_treatment", "admitted"), "treated_at"),
    ("discharged", ("discharged",), "discharged_at"),
    ("handed_back", ("handed_back",), "handed_back_at"),
    ("expected_back", ("expected_back",), "taken_back_at"),
    ("received_back", ("received_back",), "received_back_at"),
    ("closed", ("closed",), "closed_at"),
)
# Whoever leaves the network is followed up from here, and nothing else happens inside it.
_ROAD_OUT = (("outside", ("outside",), ""), ("outside_closed", ("outside_closed",), "closed_at"))
# Where the road of a patient begins who is sent home without having been referred.
_ROAD_HOME = 3
# Ways by which a referral came back to whoever has it now; why stands on top of the page.
_CAME_BACK = frozenset(
    {"return", "refuse_offer", "refuse_self", "refuse_there", "offer_expired", "decline_back", "time_out_back"}
)
_WELL_ENDED = ("closed", "advised", "outside_closed")
_NO_PLACE = frozenset({"declined", "withdrawn", "advised", "elsewhere", "died"})


def steps_of(referral: Referral) -> list[dict[str, Any]]:
    """The stages of the road with what is done, what is now and what comes."""
    machine, in_english = referral.machine, english()
    # A patient who came without a referral is sent home: nobody asked, and nobody was expected.
    out = referral.direction == Referral.Direction.OUT
    road = _ROAD_OUT if out else _ROAD[_ROAD_HOME:] if referral.direction == Referral.Direction.DOWN else _ROAD
    if referral.goes_to not in ARRIVING:
        # Whoever comes to the clinic is not expected anywhere before.
        road = tuple(one for one in road if one[0] != "expected_back")
    now = next((i for i, (_c, members, _f) in enumerate(road) if referral.state in members), -1)
    if now < 0 and referral.direction == Referral.Direction.DOWN and referral.state == "draft":
        now = 0
    left = now < 0
    if left:
        # Who died, was withdrawn, seen elsewhere or left the network stopped at the last stage that was reached.
        now = max(
            (i for i, (_c, _members, column) in enumerate(road) if column and getattr(referral, column)), default=0
        )
    stopped = referral.state in ("declined", "withdrawn", "died", "elsewhere")
    found = []
    for index, (code, _members, column) in enumerate(road):
        moment = getattr(referral, column) if column else None
        shown = referral.state if index == now else code
        state = machine.state(shown)
        if index == now:
            how = "stopped" if stopped else "done" if referral.state in _WELL_ENDED else "now"
        else:
            how = "done" if (moment or out) and index < now else "next"
        found.append(
            {
                "label": state.en if in_english else state.zh,
                "state": how,
                # Who set out an hour after the acceptance is on the way since then.
                "at": referral.state_since
                if (left or out or referral.state == "on_the_way") and index == now
                else moment,
            }
        )
    # Nothing comes after a death, a withdrawal or a refusal.
    return found[: now + 1] if stopped else found


def came_back(referral: Referral, steps: list[Any]) -> tuple[str, str] | None:
    """What brought a referral back with its last act, and the reason that was given; None when it went on."""
    last = steps[-1] if steps else None
    way = referral.machine.transition(last.verb, last.from_state) if last and last.verb in _CAME_BACK else None
    if last is None or way is None:
        return None
    # A clock gives no reason: what to do next stands there.
    said = last.reason or {
        "offer_expired": _("没有在时限内确认，请联系患者后另行安排。"),
        "time_out_back": _("对方没有在时限内承接，请另选承接机构。"),
    }.get(last.verb, "")
    return (way.en if english() else way.zh), said


def appointment_of(referral: Referral) -> str:
    """Where the patient is expected; of a place that was given back only that it was."""
    text = referral.appointment_text or referral.offer_text
    if text and referral.arrived_at is None and referral.state in _NO_PLACE:
        return _("%(place)s（已取消）") % {"place": text}
    offered_no_more = not referral.appointment_text and referral.state in ("submitted", "submitted_green")
    return "" if offered_no_more else text


def event_of(referral: Referral, step: Any) -> dict[str, Any]:
    """One act of the history."""
    way = referral.machine.transition(step.verb, step.from_state)
    text = step.verb if way is None else way.en if english() else way.zh
    tone = "ok" if step.to_state == "closed" else "warn" if step.reason else "info"
    name = _("系统") if step.actor_name == SYSTEM_NAME else step.actor_name
    return {
        "at": step.at or timezone.now(),
        "title": text,
        "who": f"{step.organization_name} {name}".strip(),
        "detail": step.reason,
        "tone": tone,
    }
