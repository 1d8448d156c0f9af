"""Whose message it is: the resident behind the numbers of a sender, under the sender's own rights.

Only whole numbers are compared. A hospital without a care relationship gets the same answer as for somebody who does not exist.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from doorstep.coordination.hospital_systems.models import PatientNumber
from doorstep.kernel.access.encryption import blind_index
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.exchange.formats import Fault, Task, Waits
from doorstep.kernel.fhir import systems
from doorstep.people.identity import numbers as linked
from doorstep.people.organizations import queries as organizations
from doorstep.people.residents import queries as residents
from doorstep.people.residents.rules import is_whole_number


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a message says of its patient. `place` is where it says the numbers, `name_place` where the name."""

    numbers: tuple[str, ...]
    name: str = ""
    birth_date: date | None = None
    gender: str = ""
    place: str = "PID-3"
    name_place: str = "PID-5"


@dataclass(frozen=True, slots=True)
class Person:
    """The resident behind a claim."""

    id: int
    key: str
    name: str
    birth_date: date
    number: str
    former_keys: tuple[str, ...] = ()


def find(claim: Claim, task: Task) -> Person:
    """The resident of a claim; learns the hospital's own numbers on the way.

    Raises Waits when there is none whom the sender may see, and Fault when the numbers lead to different people or the name
    and the day of birth contradict the number.
    """
    if not claim.numbers:
        raise Fault("patient-number-missing", claim.place)
    national = [number for number in claim.numbers if is_whole_number(number)]
    own = [number for number in claim.numbers if number not in national]
    by_national = {found for number in national if (found := _behind_national(number))}
    by_own = {found for number in own if (found := _behind_own(number, task))}
    if len(by_national | by_own) > 1:
        raise Fault("identity-conflict", claim.place)
    if not by_national and not by_own:
        raise Waits("resident-unknown", claim.place)
    person = _person(next(iter(by_national | by_own)), claim)
    if national and not by_national and person.number:
        # The hospital's own number leads to somebody with another id card, and with this one never.
        raise Fault("identity-conflict", claim.place)
    _check(person, claim, sure=bool(by_national))
    if by_national:
        _learn(own, person, task)
    return person


def index_of(number: str, *, organization_id: int) -> UUID:
    """The keyed index of a hospital's own number of a patient."""
    return blind_index("hospital-number", f"{organization_id}|{number}")


def relink(numbers: Iterable[str], person: Person, task: Task) -> int:
    """Let a hospital's own numbers lead to another resident; returns how many changed."""
    organization_id = task.connection.organization_id
    indexes = [index_of(number, organization_id=organization_id) for number in numbers if not is_whole_number(number)]
    rows = PatientNumber.objects.filter(organization_id=organization_id, index__in=indexes)
    changed = rows.exclude(resident_id=person.id).update(resident_id=person.id)
    _learn([number for number in numbers if not is_whole_number(number)], person, task)
    return changed


def _behind_national(number: str) -> int | None:
    found = residents.behind_reference(reference=f"{systems.NATIONAL_ID}|{number}")
    return found[0] if found else None


def _behind_own(number: str, task: Task) -> int | None:
    organization_id = task.connection.organization_id
    index = index_of(number, organization_id=organization_id)
    rows = PatientNumber.objects.filter(organization_id=organization_id, index=index)
    learned = rows.values_list("resident_id", flat=True).first()
    if learned is not None:
        return learned
    # Not heard in a message yet: the hospital's list may have been linked before.
    return linked.resident_behind(number=number, system=organizations.get(organization_id=organization_id).code)


def _person(resident_id: int, claim: Claim) -> Person:
    try:
        resident = residents.get(resident_id=resident_id)
    except NotFound as error:
        raise Waits("resident-unknown", claim.place) from error
    return Person(
        resident.pk,
        str(resident.key),
        resident.name,
        resident.birth_date,
        resident.national_id,
        tuple(str(key) for key in residents.merged_into(resident)),
    )


def _check(person: Person, claim: Claim, *, sure: bool) -> None:
    """A whole national number outweighs one slip of name or birth date; a hospital's own number does not."""
    name_differs = bool(claim.name) and _letters(claim.name) != _letters(person.name)
    birth_differs = claim.birth_date is not None and claim.birth_date != person.birth_date
    if (name_differs and birth_differs) or (not sure and name_differs):
        raise Fault("identity-mismatch", claim.name_place)


def _letters(name: str) -> str:
    return "".join(name.split()).casefold()


def _learn(numbers: Iterable[str], person: Person, task: Task) -> None:
    organization_id = task.connection.organization_id
    PatientNumber.objects.bulk_create(
        [
            PatientNumber(
                organization_id=organization_id,
                index=index_of(number, organization_id=organization_id),
                resident_id=person.id,
                learned_from_id=task.message.pk,
            )
            for number in dict.fromkeys(numbers)
        ],
        ignore_conflicts=True,
    )
