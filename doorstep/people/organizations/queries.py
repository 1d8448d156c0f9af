"""Reads of organisations, their tree and their membership."""

from collections.abc import Iterable
from datetime import date, timedelta
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from doorstep.kernel.access.models import ApiClient
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.database.remembered import Remembered
from doorstep.people.organizations.models import Change, Department, Membership, Organization


def get(*, organization_id: int) -> Organization:
    """The organisation with this id."""
    return Organization.objects.get(id=organization_id)


def below(*, organization_id: int) -> tuple[int, ...]:
    """The ids of the organisation and of everything below it in the tree."""
    return tuple(
        Organization.objects.filter(path__contains=[organization_id]).values_list("id", flat=True).order_by("id")
    )


def names(*, ids: Iterable[int | None]) -> dict[int, str]:
    """The names of several organisations, in one query."""
    wanted = {value for value in ids if value is not None}
    return dict(_NAMES.rows(list(wanted))) if wanted else {}


_NAMES = Remembered(lambda ids: Organization.objects.filter(id__any=ids).values_list("id", "name"))


def several(*, ids: Iterable[int]) -> list[Organization]:
    """Several organisations, in one query."""
    return list(Organization.objects.filter(id__in=list(ids)))


def parent_of(*, organization_id: int) -> int | None:
    """The unit above: a village clinic's township centre."""
    return Organization.objects.filter(id=organization_id).values_list("parent_id", flat=True).first()


def lead_of(*, organization_id: int, day: date) -> int | None:
    """The lead hospital of the consortium to which the unit, or the nearest unit above it, belonged on a day.

    Where a consortium has two leads the general hospital with the lower id answers for calls.
    """
    path = Organization.objects.filter(id=organization_id).values_list("path", flat=True).first() or []
    member = Membership.objects.filter(organization_id__in=path, period__contains=day).values("consortium_id")
    return (
        Membership.objects.filter(consortium_id__in=member, part=Membership.Part.LEAD, period__contains=day)
        .order_by("organization_id")
        .values_list("organization_id", flat=True)
        .first()
    )


def consortium_of(*, organization_id: int, day: date) -> int | None:
    """The consortium to which the unit, or a unit above it, belonged on a day."""
    path = Organization.objects.filter(id=organization_id).values_list("path", flat=True).first() or []
    return (
        Membership.objects.filter(organization_id__in=path, period__contains=day)
        .order_by("organization_id")
        .values_list("consortium_id", flat=True)
        .first()
    )


def shared_center(*, code: str) -> Organization | None:
    """The shared diagnosis centre with this code ("ECG")."""
    return Organization.objects.filter(kind=Organization.Kind.SHARED_CENTER, code__endswith=code).first()


def search(*, text: str, kinds: Iterable[str] = (), limit: int = 20) -> list[Organization]:
    """Organisations by a part of their name or code."""
    found = Organization.objects.filter(Q(name__icontains=text) | Q(code__iexact=text) | Q(name_en__icontains=text))
    wanted = list(kinds)
    return list((found.filter(kind__in=wanted) if wanted else found).order_by("tier", "name")[:limit])


def departments(*, organization_id: int) -> list[Department]:
    """The departments of an organisation that were not closed."""
    found = Department.objects.filter(organization_id=organization_id, closed_on__isnull=True)
    return list(found.order_by("code"))


def department_name(*, department_id: int) -> str:
    """What a department is called; "" for one that does not exist."""
    return Department.objects.filter(pk=department_id).values_list("name", flat=True).first() or ""


def for_client(*, name: str, code: str) -> Organization | None:
    """The organisation that a hospital system belongs to: by code, or for the demo system the lead hospital."""
    if code:
        return Organization.objects.filter(code=code).first()
    known = ApiClient.objects.filter(name=name).values_list("organization_id", flat=True).first()
    return Organization.objects.filter(id=known).first() if known else None


def get_by_key(key: UUID | str) -> Organization:
    """The organisation with this key; raises NotFound when there is none."""
    found = Organization.objects.select_related("parent").filter(key=key).first()
    if found is None:
        raise NotFound()
    return found


def id_behind(*, key: UUID) -> int | None:
    """The number of the organisation with a key; None for a key that is none's."""
    return Organization.objects.filter(key=key).values_list("id", flat=True).first()


def ids_behind(*, keys: Iterable[str]) -> list[int]:
    """The numbers of the organisations with these keys, in one query."""
    return list(Organization.objects.filter(key__in=list(keys)).values_list("id", flat=True))


def tree(*, text: str = "", limit: int = 400) -> list[Organization]:
    """Organisations in the order of their tree, all or those whose name or code holds a text."""
    found = Organization.objects.filter(closed_on__isnull=True)
    if text:
        found = found.filter(Q(name__contains=text) | Q(code__iexact=text) | Q(name_en__icontains=text))
    return list(found.order_by("path")[:limit])


def members_on(*, day: date) -> list[Membership]:
    """Who belonged to which consortium on a day, and as what."""
    return list(
        Membership.objects.filter(period__contains=day)
        .select_related("consortium", "organization")
        .order_by("consortium__name", "part", "organization__name")
    )


def memberships_of(*, organization_id: int) -> list[Membership]:
    """Every membership of an organisation, newest first."""
    found = Membership.objects.filter(organization_id=organization_id).select_related("consortium")
    return list(found.order_by("-period"))


def children(*, organization_id: int) -> list[Organization]:
    """The units directly below."""
    return list(Organization.objects.filter(parent_id=organization_id).order_by("tier", "name"))


def known_keys(keys: Iterable[str]) -> set[str]:
    """Those of the keys under which there is an organisation; what is no key is left out."""
    wanted = [found for found in map(as_uuid, keys) if found is not None]
    return (
        {str(key) for key in Organization.objects.filter(key__in=wanted).values_list("key", flat=True)}
        if wanted
        else set()
    )


def as_uuid(text: str) -> UUID | None:
    """A text as a key, None when it is none."""
    try:
        return UUID(text)
    except ValueError:
        return None


def history_of(*, organization_id: int, limit: int = 50) -> list[Change]:
    """What became of a unit, newest first."""
    return list(Change.objects.filter(organization_id=organization_id).order_by("-at", "-id")[:limit])


def get_membership(*, membership_id: int, key: UUID | str) -> Membership:
    """A membership of the unit with this key; raises NotFound."""
    found = (
        Membership.objects.select_related("organization", "consortium")
        .filter(id=membership_id, organization__key=key)
        .first()
    )
    if found is None:
        raise NotFound()
    return found


def get_department(*, key: UUID | str, department: UUID | str) -> Department:
    """A department of the unit with this key; raises NotFound."""
    found = Department.objects.select_related("organization").filter(key=department, organization__key=key).first()
    if found is None:
        raise NotFound()
    return found


def last_day_of(membership: Membership) -> date | None:
    """The last day of a membership, None while it has none: a period ends before its upper day."""
    return membership.period.upper - timedelta(days=1) if membership.period.upper else None


def by_code(code: str) -> Organization | None:
    """The organisation with this code, None when there is none."""
    return Organization.objects.filter(code=code).first()


def tops() -> list[Organization]:
    """The open units without a parent: the top of each tree."""
    return list(Organization.objects.filter(parent__isnull=True, closed_on__isnull=True).order_by("id"))


def consortium_today(*, organization_id: int) -> int | None:
    """The consortium to which the unit, or a unit above it, belongs today."""
    return consortium_of(organization_id=organization_id, day=timezone.localdate())


def within(*, ids: Iterable[int]) -> list[Organization]:
    """Units to choose as a parent, in the order of the tree, those that were closed left out."""
    return list(Organization.objects.filter(id__in=list(ids), closed_on__isnull=True).order_by("path"))
