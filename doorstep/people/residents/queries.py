"""Reads of residents. What the actor may not see is not there."""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.kernel.access import queries as access
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.models import CareRelationship, FormerResident, PresenceProof
from doorstep.kernel.access.refusals import Conflict, NotFound, NotPermitted
from doorstep.kernel.database.remembered import Remembered, Slot
from doorstep.kernel.fhir import systems
from doorstep.kernel.web import formats
from doorstep.people.residents import documents, insurance
from doorstep.people.residents.indexes import number_index
from doorstep.people.residents.lines import allergies_of, line_of
from doorstep.people.residents.links import living
from doorstep.people.residents.models import (
    Death,
    Group,
    ImportBatch,
    Insurance,
    Resident,
    ResidentAccount,
)
from doorstep.people.residents.rules import (
    GROUPS,
    is_whole_number,
    mask_number,
    mask_phone,
)
from doorstep.people.residents.special_queries import specials_now, standing_specials

# What a person may name as the ground of a death; an imported one is not named.
DEATH_SOURCES: dict[str, str] = {
    str(code): str(label) for code, label in Death.Source.choices if code != Death.Source.IMPORTED
}

# How long a proof of presence counts.
PRESENCE_LASTS = timedelta(minutes=30)


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
    allergies: tuple[str, ...] | None = None
    unidentified: bool = False
    specials: tuple[str, ...] = ()


def linked_ids(*, user_id: int) -> list[int]:
    """The residents whose records an account may open: the own one first, at the end what was merged into them."""
    links = living(timezone.localdate()).filter(user_id=user_id).order_by("id")
    own = list(links.values_list("resident_id", flat=True))
    return own + [former for resident_id in own for former in access.formers_of(resident_id=resident_id)]


def get(*, resident_id: int) -> Resident:
    """The resident with this id, or who that is since a merge; raises NotFound when the actor may not see one."""
    return _standing(_BY_ID.one(resident_id))


def get_former(*, key: UUID | str) -> Resident:
    """The record with this key as it is, also when it was merged; raises NotFound when the actor may not see it."""
    found = Resident.objects.select_related("organization").filter(key=key).first()
    if found is None:
        raise NotFound()
    return found


def _with_standing() -> QuerySet[Resident]:
    merged_into = FormerResident.objects.filter(former_id=OuterRef("pk")).values("standing_id")
    return Resident.objects.select_related("organization").annotate(merged_into=Subquery(merged_into))


def _standing(found: Resident | None) -> Resident:
    """Who a record is now; each merge of a chain costs one more query."""
    while found is not None:
        merged_into = getattr(found, "merged_into", None)
        if merged_into is None:
            return found
        found = _BY_ID.one(merged_into)
    raise NotFound()


def merged_into(resident: Resident) -> list[UUID]:
    """The keys of the records that were merged into this one by a merge of its own, oldest first."""
    formers = FormerResident.objects.filter(standing_id=resident.pk).order_by("since", "former_id")
    ids = list(formers.values_list("former_id", flat=True))
    keys = dict(Resident.objects.filter(id__in=ids).values_list("id", "key")) if ids else {}
    return [keys[former] for former in ids if former in keys]


def not_merged() -> QuerySet[Resident]:
    """Residents without the records that were merged into another."""
    return Resident.objects.filter(~Exists(FormerResident.objects.filter(former_id=OuterRef("pk"))))


def get_by_key(key: UUID | str, actor: Actor, *, household: bool = False) -> Resident:
    """The resident with this key, or who that is since a merge; raises NotFound when the actor may see none.

    With `household` the others who live there and the insurance are read along, for `household_of` and `insured_of`.
    """
    return _standing((_WITH_HOUSEHOLD if household else _WITH_GROUPS).one(key))


def _with_groups(key: Slot) -> QuerySet[Resident]:
    # The page of a resident shows the groups at once: read along, they cost no query of their own.
    codes = _live_groups().filter(resident_id=OuterRef("pk")).values("code")
    return _with_standing().annotate(group_codes=ArraySubquery(codes), specials=standing_specials()).filter(key=key)[:1]


def _with_household(key: Slot) -> QuerySet[Resident]:
    others = not_merged().filter(household_id=OuterRef("household_id")).exclude(id=OuterRef("pk"))
    facts = JSONObject(key="key", name="name", relation="relation_to_head")
    codes = _live_groups().filter(resident_id=OuterRef("pk")).values("code")
    members = ArraySubquery(others.order_by("birth_date").values(facts=facts))
    standing = Insurance.objects.filter(resident_id=OuterRef("pk"), ended_at__isnull=True).order_by("-is_basic")
    insured = ArraySubquery(
        standing.values(facts=JSONObject(kind="kind", place="place", insurer="insurer", until="until"))
    )
    found = _with_standing().annotate(
        group_codes=ArraySubquery(codes), members=members, insured=insured, specials=standing_specials()
    )
    return found.filter(key=key)[:1]


_BY_ID = Remembered(lambda resident_id: _with_standing().filter(id=resident_id)[:1])
_WITH_GROUPS = Remembered(_with_groups)
_WITH_HOUSEHOLD = Remembered(_with_household)


def banner(resident: Resident) -> ResidentBanner:
    """The banner of a resident; groups that are not said aloud are in it for whoever opened the sensitive entries.

    The contract's line takes one query, the allergies one or two, the groups another unless they were read along.
    """
    codes = getattr(resident, "group_codes", None)
    if codes is None:
        codes = list(_live_groups().filter(resident_id=resident.pk).values_list("code", flat=True))
    return ResidentBanner(
        id=resident.pk,
        key=resident.key,
        name=resident.name,
        gender=resident.gender,
        gender_label=_(str(Resident.Gender(resident.gender).label)),
        birth_date=resident.birth_date,
        age=formats.age(resident.birth_date, resident.deceased_on or timezone.localdate()),
        masked_id=masked_number(resident),
        masked_phone=mask_phone(resident.phone),
        organization_name=resident.organization.name,
        groups=tuple((code, _(GROUPS.get(code, code))) for code in codes),
        contract=line_of("contract", resident.pk),
        deceased_on=resident.deceased_on,
        allergies=allergies_of(resident.pk),
        unidentified=resident.unidentified,
        specials=tuple(specials_now(resident)),
    )


def behind_reference(*, reference: str) -> tuple[int, str] | None:
    """The id and key of the resident behind "Patient/<key>" or "<national id system>|<number>"; None when not the actor's."""
    if reference.startswith("Patient/"):
        try:
            key = UUID(reference.removeprefix("Patient/"))
        except ValueError:
            return None
        named = _with_standing().filter(key=key).first()
        standing = None if named is None else _standing(named)
        row = None if standing is None else (standing.pk, standing.key)
    else:
        system, _, number = reference.partition("|")
        if system != systems.NATIONAL_ID or not number:
            return None
        row = (
            not_merged()
            .filter(
                identifiers__index=number_index(number),
                identifiers__kind__in=(documents.NATIONAL_ID, documents.OLD_ID),
                identifiers__live=True,
            )
            .values_list("id", "key")
            .first()
        )
    return None if row is None else (row[0], str(row[1]))


def behind_keys(*, keys: Iterable[str]) -> dict[str, int]:
    """The ids of the residents with these keys, as far as the actor may see them; those who were merged are left out."""
    wanted = []
    for key in keys:
        with suppress(ValueError):
            wanted.append(UUID(key))
    found = not_merged().filter(key__in=wanted).values_list("key", "id") if wanted else ()
    return {str(key): resident_id for key, resident_id in found}


def brief(*, ids: Iterable[int]) -> dict[int, Resident]:
    """Several residents for the lines of a list, in one query; those whom the actor may not see are left out."""
    wanted = set(ids)
    if not wanted:
        return {}
    return {resident.id: resident for resident in _BRIEF.rows(list(wanted))}


_BRIEF = Remembered(lambda ids: Resident.objects.filter(id__any=ids).only("id", "key", "name", "gender", "birth_date"))


def find_by_number(number: str, actor: Actor) -> Resident | None:
    """The resident with this whole number of a document, when the actor may see one; a scanner types it like a person."""
    if not is_whole_number(number) and not documents.is_whole_document(number):
        return None
    return (
        not_merged()
        .select_related("organization")
        .filter(
            identifiers__index=number_index(number),
            identifiers__kind__in=documents.FINDING,
            identifiers__live=True,
        )
        .first()
    )


def masked_number(resident: Resident) -> str:
    """The number by which a person is told apart on a page, its middle hidden; the record number of those without one."""
    number = mask_number(resident.national_id) or documents.mask_document(resident.document_number or "")
    return number or resident.record_number


def get_presence(*, presence_id: int, actor: Actor) -> PresenceProof:
    """The actor's own proof of the last 30 minutes; raises NotFound when there is none."""
    fresh = timezone.now() - PRESENCE_LASTS
    proof = PresenceProof.objects.filter(id=presence_id, user_id=actor.user_id or 0, proved_at__gt=fresh).first()
    if proof is None:
        raise NotFound()
    return proof


@dataclass(frozen=True, slots=True)
class Member:
    """Another person of a household."""

    key: UUID
    name: str
    relation_to_head: str


def household_of(resident: Resident) -> list[Member]:
    """The others of the household, as far as the actor may see them; of a resident who was read with the household."""
    return [Member(UUID(one["key"]), one["name"], one["relation"]) for one in getattr(resident, "members", None) or []]


@dataclass(frozen=True, slots=True)
class Insured:
    """How care is paid, in words, and until when; `ended` when that day has passed and nobody wrote what came after."""

    words: str
    until: date | None
    ended: bool


def insured_of(resident: Resident) -> list[Insured]:
    """The lines of insurance that stand, the basic one first; of a resident who was read with the household."""
    today = timezone.localdate()
    found = []
    for one in getattr(resident, "insured", None) or []:
        until = date.fromisoformat(one["until"]) if one["until"] else None
        said = insurance.words(kind=one["kind"], place=one["place"], insurer=one["insurer"])
        found.append(Insured(said, until, until is not None and until < today))
    return found


def basic_insurance(resident_id: int | OuterRef) -> QuerySet[Insurance, str]:
    """The kind of the basic insurance that stands, for a query of another app or by itself; empty when nobody asked."""
    standing = Insurance.objects.filter(resident_id=resident_id, is_basic=True, ended_at__isnull=True)
    return standing.values_list("kind", flat=True)


def insurance_words(*, resident_id: int) -> str:
    """The basic insurance that stands in one line; "" when nobody asked."""
    found = Insurance.objects.filter(resident_id=resident_id, is_basic=True, ended_at__isnull=True).first()
    return insurance.words(kind=found.kind, place=found.place) if found else ""


def insurances_of(*, resident_id: int) -> list[Insurance]:
    """Every line of a resident: those that stand, the basic one first, then the others, newest first."""
    found = list(Insurance.objects.filter(resident_id=resident_id).order_by("-recorded_at", "-id"))
    return sorted(found, key=lambda line: (line.ended_at is not None, not line.is_basic))


def get_insurance(*, key: UUID | str, resident_id: int) -> Insurance:
    """A line of this resident; raises NotFound."""
    found = Insurance.objects.select_related("resident").filter(resident_id=resident_id, key=key).first()
    if found is None:
        raise NotFound()
    return found


def list_batches(*, actor: Actor) -> list[ImportBatch]:
    """The files that the actor's units brought in, newest first."""
    return list(ImportBatch.objects.defer("content", "faults").order_by("-uploaded_at")[:50])


def get_batch(key: UUID | str, actor: Actor) -> ImportBatch:
    """The file with this key; raises NotFound when it is not there or not the actor's."""
    batch = ImportBatch.objects.filter(key=key).first()
    if batch is None:
        raise NotFound()
    return batch


def preview(batch: ImportBatch, *, limit: int = 20) -> list[dict[str, str]]:
    """The first right rows of a file, numbers masked."""
    people = json.loads(batch.content) if batch.content else []
    return [
        {
            "name": one["name"],
            "gender": str(Resident.Gender(one["gender"]).label),
            "birth_date": one["birth_date"],
            "number": mask_number(one["number"]),
            "phone": mask_phone(one["phone"]),
            "groups": "、".join(GROUPS[code] for code in one["groups"]),
        }
        for one in people[:limit]
    ]


def _live_groups() -> QuerySet[Group]:
    return Group.objects.filter(until__isnull=True).order_by("since", "id")


def family_of(*, user_id: int) -> list[ResidentAccount]:
    """The persons whose records this account may open today, the own one first."""
    return list(living(timezone.localdate()).filter(user_id=user_id).select_related("resident").order_by("id"))


def death_of(resident: Resident) -> Death | None:
    """The record of the resident's death that stands, or None; a death that came in by a file has none."""
    return Death.objects.filter(resident=resident, revoked_at__isnull=True).first()


def revoked_deaths_of(resident: Resident) -> list[Death]:
    """Deaths that were recorded by mistake, newest first."""
    return list(Death.objects.filter(resident=resident, revoked_at__isnull=False).order_by("-revoked_at"))


def is_deceased(*, resident_id: int) -> bool:
    """Whether the death of a resident whom the actor may see is recorded."""
    return bool(_DECEASED.rows(resident_id))


_DECEASED = Remembered(
    lambda resident_id: Resident.objects.filter(id=resident_id, deceased_on__isnull=False).values_list("id", flat=True)
)


def check_whole_record(*, resident_id: int, permission: str, actor: Actor) -> None:
    """Raise unless the actor has the permission and sees the whole record: a narrow sight does not write into it."""
    actor.check(permission)
    if actor.is_system:
        return
    ground = access.live_relationship(resident_id=resident_id, actor=actor)
    if ground is None:
        raise NotFound()
    if ground.scope != CareRelationship.Scope.FULL:
        raise NotPermitted(permission=permission)


def check_living(*, resident_id: int) -> None:
    """Raise Conflict when the resident's death is recorded: nothing new begins for the dead."""
    died_on = Resident.objects.filter(id=resident_id).values_list("deceased_on", flat=True).first()
    if died_on is not None:
        raise Conflict(
            _("这位居民已登记于 %(day)s 死亡，不能再办理。如居民健在，请医生先在档案页撤销死亡登记。")
            % {"day": died_on.isoformat()}
        )
