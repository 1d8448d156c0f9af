"""Reads of residents. What the actor may not see is not there."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.utils import timezone

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.encryption import blind_index
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.fhir import systems
from doorstep.people.residents.lines import line_of
from doorstep.people.residents.models import Group, Resident, ResidentAccount
from doorstep.people.residents.rules import GROUPS, age_text, mask_number, mask_phone


@dataclass(frozen=True, slots=True)
class ResidentBanner:
    """Who lies before us, on top of every page of a resident."""

    id: int
    key: UUID
    name: str
    gender: str
    gender_label: str
    birth_date: date
    age: str
    masked_id: str
    masked_phone: str
    organization_name: str
    groups: tuple[tuple[str, str], ...]
    contract: str
    deceased_on: date | None


def linked_ids(*, user_id: int) -> list[int]:
    """The residents whose records an account may open: the own one first."""
    return list(ResidentAccount.objects.filter(user_id=user_id).order_by("id").values_list("resident_id", flat=True))


def get(*, resident_id: int) -> Resident:
    """The resident with this id; raises NotFound when the actor of the transaction may not see one."""
    found = Resident.objects.select_related("organization").filter(id=resident_id).first()
    if found is None:
        raise NotFound()
    return found


def get_by_key(key: UUID | str, actor: Actor) -> Resident:
    """The resident with this key; raises NotFound when there is none or none that the actor may see."""
    found = Resident.objects.select_related("organization").filter(key=key).first()
    if found is None:
        raise NotFound()
    return found


def banner(resident: Resident) -> ResidentBanner:
    """The banner of a resident: two queries, the groups and the contract's line."""
    codes = Group.objects.filter(resident_id=resident.pk, until__isnull=True).order_by("since", "id")
    return ResidentBanner(
        id=resident.pk,
        key=resident.key,
        name=resident.name,
        gender=resident.gender,
        gender_label=Resident.Gender(resident.gender).label,
        birth_date=resident.birth_date,
        age=age_text(resident.birth_date, resident.deceased_on or timezone.localdate()),
        masked_id=mask_number(resident.national_id),
        masked_phone=mask_phone(resident.phone),
        organization_name=resident.organization.name,
        groups=tuple((code, GROUPS.get(code, code)) for code in codes.values_list("code", flat=True)),
        contract=line_of("contract", resident.pk),
        deceased_on=resident.deceased_on,
    )


def behind_reference(*, reference: str) -> tuple[int, str] | None:
    """The id and key of the resident behind "Patient/<key>" or "<national id system>|<number>"; None when not the actor's."""
    if reference.startswith("Patient/"):
        try:
            key = UUID(reference.removeprefix("Patient/"))
        except ValueError:
            return None
        row = Resident.objects.filter(key=key).values_list("id", "key").first()
    else:
        system, _, number = reference.partition("|")
        if system != systems.NATIONAL_ID or not number:
            return None
        row = (
            Resident.objects.filter(
                identifiers__index=blind_index("national-id", number),
                identifiers__kind="national-id",
                identifiers__live=True,
            )
            .values_list("id", "key")
            .first()
        )
    return None if row is None else (row[0], str(row[1]))


def brief(*, ids: Iterable[int]) -> dict[int, Resident]:
    """Several residents for the lines of a list, in one query; those whom the actor may not see are left out."""
    wanted = set(ids)
    if not wanted:
        return {}
    found = Resident.objects.filter(id__in=wanted).only("id", "key", "name", "gender", "birth_date")
    return {resident.id: resident for resident in found}
