"""Asks who a resident is to the rule of precedence: the care apps know who is signed, and the site wires them in."""

from collections.abc import Callable
from datetime import date

from doorstep.coordination.scheduling import precedence
from doorstep.people.residents.models import Resident

# (resident, day) -> whether a family-doctor contract is in force, as far as the actor may see
Signed = Callable[[int, date], bool]
_signed: list[Signed] = []


def install(signed: Signed) -> None:
    """Wire what knows the contracts; the last one counts."""
    _signed[:] = [signed]


def standing_of(resident: Resident, *, day: date, referred: bool) -> precedence.Standing:
    """What the rule of precedence decides for a resident on a day."""
    return precedence.stand(
        precedence.Facts(
            age=precedence.age_on(resident.birth_date, day),
            signed=bool(_signed and _signed[0](resident.pk, day)),
            referred=referred,
        )
    )
