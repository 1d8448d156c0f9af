"""What can be done next from a visit: other apps give their links, installed once by the site."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse

from doorstep.coordination.visits.models import Visit
from doorstep.kernel.access.actor import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class NextAct:
    """One link: `url_name` takes the visit's key, or the resident's with of_resident; label is a lazy message.

    `begins` posts to the address at once instead of opening it, and says from which visit: one click does it, and a second one on the
    same visit leads to what the first began.
    """

    label: Any
    icon: str
    url_name: str
    permission: str
    of_resident: bool = False
    begins: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A next act resolved for one visit."""

    label: Any
    icon: str
    address: str
    begins: bool = False


_acts: list[NextAct] = []


def install(acts: Sequence[NextAct]) -> None:
    """Set the next acts, in the order of their buttons."""
    _acts[:] = acts


def links_of(visit: Visit, *, actor: Actor) -> list[Link]:
    """The next acts that this actor may take; one whose page is not there is left out."""
    found = []
    for act in _acts:
        if not actor.may(act.permission):
            continue
        try:
            address = reverse(act.url_name, args=[visit.resident.key if act.of_resident else visit.key])
        except NoReverseMatch:
            continue
        if act.begins:
            address = f"{address}?{urlencode({'origin_subject': visit.subject})}"
        found.append(Link(act.label, act.icon, address, act.begins))
    return found
