"""Records of one person that two desks made, as they come about: the county hospital registers without the card who is known in a village.

All invented. Each pair shows another slip: a character of a near sound without a number, day and month exchanged, a child on the
mother's number that had its own since.
"""

from collections.abc import Iterator
from datetime import date

from django.core.management import call_command
from django.utils import timezone

from doorstep.demo.cast import actor_of_practitioner
from doorstep.demo.county import heroes
from doorstep.demo.county.residents import HEROES
from doorstep.demo.twins import homophones
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.people.residents import actions as residents
from doorstep.people.residents.actions import NewResident
from doorstep.people.residents.models import Resident
from doorstep.people.residents.rules import mother_fault, read_number

# Among so many of the first residents every kind is found.
_LOOKED_AT = 400
_CHILD = 14


def register_doubles() -> int:
    """Have the registrar of the lead hospital write three people a second time, and the index searched; returns how many."""
    with acting(system_actor(Purpose.IMPORT)):
        wanted = list(_slips())
    registrar = actor_of_practitioner(heroes.REGISTRAR)
    with acting(registrar):
        made = [residents.register(new=one, actor=registrar) for one in wanted]
    call_command("find_doubles", apart=True)
    return sum(one is not None for one in made)


def _slips() -> Iterator[NewResident]:
    known = Resident.objects.filter(
        id__gt=HEROES, deceased_on__isnull=True, organization__path__contains=[heroes.TERTIARY_HOSPITAL]
    ).order_by("id")[:_LOOKED_AT]
    people = [one for one in known if one.phone and one.address]
    grown = [one for one in people if one.national_id and _age(one) > _CHILD]
    alike = next((one for one in grown if homophones(one.name[-1])), None)
    if alike is not None:
        yield _again(alike, name=alike.name[:-1] + homophones(alike.name[-1])[0])
    swapped = next((one for one in grown if one != alike and _exchangeable(one.birth_date)), None)
    if swapped is not None:
        born = swapped.birth_date
        yield _again(swapped, birth_date=date(born.year, born.day, born.month))
    child = next(_children(people, grown), None)
    if child is not None:
        yield _again(child[0], mother_number=child[1])


def _exchangeable(born: date) -> bool:
    return born.day <= 12 and born.day != born.month


def _children(people: list[Resident], grown: list[Resident]) -> Iterator[tuple[Resident, str]]:
    """Children with a number of their own, each with the number of the woman of the house who may be the mother."""
    women = {
        one.household_id: one for one in grown if one.gender == "female" and one.relation_to_head in ("head", "spouse")
    }
    for one in people:
        mother = women.get(one.household_id)
        if one.national_id and _age(one) <= _CHILD and one.relation_to_head == "child" and mother is not None:
            holder = read_number(mother.national_id, today=timezone.localdate())
            if not mother_fault(holder, one.birth_date):
                yield one, mother.national_id


def _again(person: Resident, *, name: str = "", birth_date: date | None = None, mother_number: str = "") -> NewResident:
    return NewResident(
        name=name or person.name,
        birth_date=birth_date or person.birth_date,
        gender=person.gender,
        phone=person.phone,
        address=person.address,
        mother_number=mother_number,
    )


def _age(person: Resident) -> int:
    return (timezone.localdate() - person.birth_date).days // 365
