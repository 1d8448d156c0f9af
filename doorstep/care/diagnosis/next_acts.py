"""What may come after a report: the next acts that other apps offer for it, installed once by the site."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from doorstep.kernel.access.actor import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFacts:
    """What an act is told about the report it follows. `origin` names the order: "ecg-order/<key>"."""

    origin: str
    resident_key: str
    source_id: int
    critical: bool
    conclusion: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NextAct:
    """One button under a signed report: label (lazy text), icon, the permission it needs, and the address it opens.

    `address` returns None when the act does not fit this report; `urgent` puts it first and makes it the primary button of a
    critical report; `begins` posts to the address at once instead of opening it, so that one click does it.
    """

    label: Any
    icon: str
    permission: str
    address: Callable[[ReportFacts], str | None]
    urgent: bool = False
    begins: bool = False


# What was sent because of a report: a sentence for the register of critical values, "" where nothing was sent.
Sent = Callable[[str, Actor], str]

_acts: list[NextAct] = []
_sent: list[Sent] = []


def install(acts: Sequence[NextAct], *, sent: Sent | None = None) -> None:
    """Set what may come after a report, and who knows what did; called once by the site."""
    _acts[:] = acts
    _sent[:] = [sent] if sent else []


def sent_for(origin: str, *, actor: Actor) -> str:
    """What was sent because of the report of this order, in a sentence; "" where nothing was."""
    return _sent[0](origin, actor) if _sent else ""


def acts_for(facts: ReportFacts, *, actor: Actor) -> list[tuple[NextAct, str]]:
    """The acts that this actor may take from here with their addresses: only the ordering unit goes on from a report."""
    if not actor.reaches(facts.source_id):
        return []
    offered = [(act, act.address(facts)) for act in _acts if actor.may(act.permission)]
    return sorted(((act, address) for act, address in offered if address), key=lambda pair: not pair[0].urgent)
