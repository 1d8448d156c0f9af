"""What keeps two records from being merged: asked before anything is chosen, of the apps whose rows cannot stand together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from doorstep.kernel.access.actor import Actor, Purpose
from doorstep.kernel.access.session import for_purpose
from doorstep.people.residents.models import Resident


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One thing in the way: on whose record, what it is, whose it is, and its page for whoever may open it ("" for others).

    `act` names what puts it right (for whoever may do it, on the same page); `call` whom others ask for it.
    """

    resident_id: int
    what: str
    unit: str
    page: str = ""
    act: str = ""
    call: str = ""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why two records cannot be merged yet, in one sentence with the cure, and the things that it is about."""

    sentence: str
    held: tuple[Held, ...]


# (id of the standing record, id of the former one, actor) -> what is in the way; runs with the sight of the merge.
Finder = Callable[[int, int, Actor], Sequence[Obstacle]]
_finders: list[Finder] = []


def install(finders: Sequence[Finder]) -> None:
    """Wire what looks for obstacles, a line per app; the last ones count."""
    _finders[:] = finders


def in_the_way(*, standing: Resident, former: Resident, actor: Actor) -> list[Obstacle]:
    """Everything that has to be put right before these two can be merged; the look at the two was recorded by the caller."""
    found = _one_death(standing, former)
    with for_purpose(Purpose.MERGE, actor):
        for finder in _finders:
            found.extend(finder(standing.pk, former.pk, actor))
    return found


def _one_death(standing: Resident, former: Resident) -> list[Obstacle]:
    if (standing.deceased_on is None) == (former.deceased_on is None):
        return []
    sentence = _("只有一份档案登记了死亡，请先在另一份上登记，或撤销误登记，再合并。")
    held = tuple(
        Held(
            resident_id=one.pk,
            what=_("已登记死亡 %(day)s") % {"day": one.deceased_on} if one.deceased_on else _("没有登记死亡"),
            unit=one.organization.name,
            call=whom_to_call(one.organization.name, one.organization.phone),
        )
        for one in (standing, former)
    )
    return [Obstacle(sentence, held)]


def whom_to_call(unit: str, phone: str, person: str = "") -> str:
    """The unit with its telephone, and the person there, in one line."""
    return " ".join(part for part in (unit, person, phone) if part)
