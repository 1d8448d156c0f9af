"""Asks who a resident is to the rule of precedence: the care apps know who is signed, and the site wires them in."""

from collections.abc import Callable
from datetime import date

from django.utils import timezone

from doorstep.coordination.scheduling import precedence
from doorstep.kernel.access.actor import Actor
from doorstep.people.residents import queries as residents
from doorstep.people.residents.models import Resident

# (resident, day) -> whether a family-doctor contract is in force, as far as the actor may see
Signed = Callable[[int, date], bool]
_signed: list[Signed] = []


def install(signed: Signed) -> None:
    """Wire what knows the contracts; the last one counts. The database asks its own function `scheduling_signed`, which the
    site makes.
    """
    _signed[:] = [signed]


def standing_of(resident: Resident, *, day: date, referred: bool, signed: bool | None = None) -> precedence.Standing:
    """What the rule of precedence decides for a resident on a day; `signed` where it is known already."""
    if signed is None:
        signed = bool(_signed and _signed[0](resident.pk, day))
    return precedence.stand(
        precedence.Facts(age=precedence.age_on(resident.birth_date, day), signed=signed, referred=referred)
    )


def origin_of(person: Actor) -> tuple[Resident, str]:
    """The resident whom this actor acts for, and whose share the rule of precedence gives: that of contracts, or what is open to all."""
    resident = residents.get(resident_id=person.resident_ids[0])
    decided = standing_of(resident, day=timezone.localdate(), referred=False)
    return resident, "contract" if precedence.SIGNED in decided.groups else "open"
