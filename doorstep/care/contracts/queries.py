"""Reads of contracts and the benefits that follow from them."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, FilteredRelation, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.care.contracts.models import Contract
from doorstep.care.contracts.rules import RENEWAL_WINDOWS, Decision, Facts, decide_benefits
from doorstep.care.contracts.states import COUNTING, LIVE
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.models import PresenceProof
from doorstep.kernel.access.refusals import NotFound
from doorstep.kernel.database.remembered import Remembered, Slot
from doorstep.people.organizations.models import Organization
from doorstep.people.residents import queries as residents
from doorstep.people.residents.models import Resident
from doorstep.people.residents.rules import age_on
from doorstep.people.workforce.models import Team

_WITH = ("resident__organization", "team__leader", "doctor", "organization", "secondary_hospital", "tertiary_hospital")
PRESENCE_LIVES = timedelta(minutes=30)


def get_contract(*, contract_key: UUID | str, actor: Actor) -> Contract:
    """A contract of the actor's units; raises NotFound."""
    found = _mine(actor).filter(key=contract_key).select_related(*_WITH).first()
    if found is None:
        raise NotFound()
    return found


def active_contract(*, resident_id: int, day: date | None = None) -> Contract | None:
    """The contract that is in force for a resident on a day (today when none is given), as far as it may be seen."""
    return _ACTIVE.one(resident_id, day or timezone.localdate())


_ACTIVE = Remembered(
    lambda resident_id, day: (
        Contract.objects.filter(resident_id=resident_id, state__in=COUNTING, starts_on__lte=day, ends_on__gte=day)
        .select_related(*_WITH)
        .order_by("id")[:1]
    )
)


def is_signed(*, resident_id: int, day: date) -> bool:
    """Whether a contract is in force for a resident on a day, as far as it may be seen."""
    return Contract.objects.filter(
        resident_id=resident_id, state__in=COUNTING, starts_on__lte=day, ends_on__gte=day
    ).exists()


def benefits_of(resident_id: int, critical: bool, day: date, direction: str = "") -> list[Decision]:
    """The decision of every benefit rule for a resident on a day, with the ids of the contract's hospitals, in one query.

    Raises NotFound for somebody whom the actor may not see.
    """
    found = _OF_BENEFITS.one(resident_id, day)
    if found is None:
        raise NotFound()
    born, region, contract_id, ends_on, team, *hospitals, insurance = found
    return list(
        decide_benefits(
            Facts(
                day=day,
                age=age_on(born, day),
                signed=contract_id is not None,
                critical=critical,
                contract_ends_on=ends_on,
                team_name=team or "",
                region=region,
                hospital_ids=tuple(one for one in hospitals if one is not None),
                insurance=insurance or "",
                direction=direction,
            )
        )
    )


def _of_benefits(resident_id: Slot, day: Slot) -> QuerySet[Resident, tuple[Any, ...]]:
    in_force = FilteredRelation(
        "contracts",
        condition=Q(contracts__state__in=COUNTING, contracts__starts_on__lte=day, contracts__ends_on__gte=day),
    )
    return (
        Resident.objects.annotate(contract=in_force, insurance=Subquery(residents.basic_insurance(OuterRef("pk"))))
        .filter(id=resident_id)
        .order_by("id", "contract__id")
        .values_list(
            "birth_date",
            "organization__division_code",
            "contract__id",
            "contract__ends_on",
            "contract__team__name",
            "contract__secondary_hospital_id",
            "contract__tertiary_hospital_id",
            "insurance",
        )[:1]
    )


_OF_BENEFITS = Remembered(_of_benefits)


def decisions_of(contract: Contract, *, critical: bool, day: date) -> list[Decision]:
    """What the rules say of a contract's resident on a day, were the case critical or not."""
    counts = contract.state in COUNTING and contract.starts_on <= day <= contract.ends_on
    return _decide(contract.resident, contract if counts else None, critical=critical, day=day)


def hospitals_of(*, resident_id: int, day: date | None = None) -> list[int]:
    """The hospitals of the contract in force, tertiary first."""
    found = _HOSPITALS.one(resident_id, day or timezone.localdate())
    return [hospital for hospital in found or () if hospital is not None]


# Asked for every draft of a referral; to plan the contract with all that its page shows takes longer than to draft.
_HOSPITALS: Remembered[tuple[int | None, int | None]] = Remembered(
    lambda resident_id, day: (
        Contract.objects.filter(resident_id=resident_id, state__in=COUNTING, starts_on__lte=day, ends_on__gte=day)
        .order_by("id")
        .values_list("tertiary_hospital_id", "secondary_hospital_id")[:1]
    )
)


def unit_of_team(*, resident_id: int, day: date) -> int | None:
    """The unit of the team that a resident signed with, while the contract is in force on a day or was until a death, as far as it may be seen."""
    return _UNIT.one(resident_id, day)


# Asked for every party that is told of a referral.
_UNIT: Remembered[int] = Remembered(
    lambda resident_id, day: (
        Contract.objects.filter(
            # Whose contract a death has ended was the resident's doctor until then, and is told of what ends with it.
            Q(state__in=COUNTING) | Q(state="terminated", ending="died"),
            resident_id=resident_id,
            starts_on__lte=day,
            ends_on__gte=day,
        )
        .order_by("-id")
        .values_list("organization_id", flat=True)[:1]
    )
)


def contract_line(resident_id: int) -> str:
    """One line for the resident's banner; "" without a contract."""
    today = timezone.localdate()
    found = _LINE.one(resident_id, today)
    if found is None:
        return ""
    team, ends_on = found
    return _("%(team)s 至 %(day)s") % {"team": team, "day": ends_on.isoformat()}


# Two columns and one join: the line stands on every page of the resident.
_LINE = Remembered(
    lambda resident_id, day: (
        Contract.objects.filter(resident_id=resident_id, state__in=COUNTING, starts_on__lte=day, ends_on__gte=day)
        .order_by("id")
        .values_list("team__name", "ends_on")[:1]
    )
)


def contracts_of_resident(*, resident_id: int) -> list[Contract]:
    """Every contract of a resident, newest first, as far as the actor may see them."""
    return list(Contract.objects.filter(resident_id=resident_id).select_related(*_WITH).order_by("-starts_on", "-id"))


def panel(
    *, actor: Actor, team_id: int | None = None, show: str = "live", today: date, after: tuple[date, int] | None = None
) -> list[Contract]:
    """Contracts of the actor's units, those that end first on top, 50 a page.

    `show`: live, draft, ended, or the renewal window in days ("60", "30", "7"). `after` is the last line of the page before.
    """
    found = _shown(_mine(actor), show, today)
    if team_id is not None:
        found = found.filter(team_id=team_id)
    if after is not None:
        found = found.filter(Q(ends_on__gt=after[0]) | Q(ends_on=after[0], id__gt=after[1]))
    return list(found.select_related(*_WITH).order_by("ends_on", "id")[:50])


def panel_counts(*, actor: Actor, today: date) -> dict[str, int]:
    """How many contracts stand behind each filter of the panel, in one query."""
    live = Q(state__in=LIVE)
    windows = {
        f"in_{days}": Count("id", filter=live & Q(ends_on__lte=today + timedelta(days=days)))
        for days in RENEWAL_WINDOWS
    }
    counted = _mine(actor).aggregate(
        live=Count("id", filter=live),
        draft=Count("id", filter=Q(state="draft")),
        ended=Count("id", filter=Q(state__in=("renewed", "expired", "terminated"))),
        **windows,
    )
    return {name.removeprefix("in_"): int(value) for name, value in counted.items()}


def teams_for(*, actor: Actor) -> list[Team]:
    """The teams with which the actor's unit signs: those of the centre, or those that serve the village."""
    if actor.organization_id is None:
        return []
    return list(
        Team.objects.filter(Q(organization_id=actor.organization_id) | Q(villages=actor.organization_id))
        .select_related("leader", "organization")
        .distinct()
        .order_by("name")
    )


def hospitals(*, tiers: Iterable[int]) -> list[Organization]:
    """The hospitals of some tiers to choose from, by name."""
    return list(Organization.objects.filter(kind=Organization.Kind.HOSPITAL, tier__in=tiers).order_by("name"))


def fresh_presence(*, resident_id: int, actor: Actor) -> PresenceProof | None:
    """The actor's own proof of this resident's presence of the last half hour, if there is one."""
    if actor.user_id is None or actor.organization_id is None:
        return None
    return (
        PresenceProof.objects.filter(
            resident_id=resident_id,
            user_id=actor.user_id,
            organization_id=actor.organization_id,
            proved_at__gt=timezone.now() - PRESENCE_LIVES,
        )
        .order_by("-proved_at")
        .first()
    )


def due_contracts(*, today: date, limit: int = 500) -> list[Contract]:
    """Contracts that expire, fall due or want a reminder on a day, locked; others' locked rows are left out."""
    return list(
        Contract.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(state__in=LIVE, ends_on__lte=today + timedelta(days=max(RENEWAL_WINDOWS)))
        .filter(
            Q(ends_on__lt=today)
            | Q(state="active")
            | Q(ends_on__lte=today + timedelta(days=30), reminded_days__gt=30)
            | Q(ends_on__lte=today + timedelta(days=7), reminded_days__gt=7)
        )
        .select_related("team")
        .order_by("ends_on")[:limit]
    )


def units_of_team(contract: Contract) -> Sequence[int]:
    """The units that a contract opens a resident to: the centre, where it was signed, and the resident's village clinic."""
    units = [contract.organization_id, contract.signing_organization_id]
    home = contract.resident.organization
    if home.kind == Organization.Kind.VILLAGE_CLINIC and home.parent_id == contract.organization_id:
        units.append(home.pk)
    return sorted(set(units))


def _decide(resident: Resident, contract: Contract | None, *, critical: bool, day: date) -> list[Decision]:
    hospitals = (contract.secondary_hospital_id, contract.tertiary_hospital_id) if contract else ()
    return list(
        decide_benefits(
            Facts(
                day=day,
                age=age_on(resident.birth_date, day),
                signed=contract is not None,
                critical=critical,
                contract_ends_on=contract.ends_on if contract else None,
                team_name=contract.team.name if contract else "",
                region=resident.organization.division_code,
                hospital_ids=tuple(found for found in hospitals if found is not None),
                insurance=residents.basic_insurance(resident.pk).first() or "",
            )
        )
    )


def _mine(actor: Actor) -> QuerySet[Contract]:
    reach = list(actor.reach)
    return Contract.objects.filter(Q(organization_id__in=reach) | Q(signing_organization_id__in=reach))


def _shown(found: QuerySet[Contract], show: str, today: date) -> QuerySet[Contract]:
    if show == "draft":
        return found.filter(state="draft")
    if show == "ended":
        return found.filter(state__in=("renewed", "expired", "terminated"))
    found = found.filter(state__in=LIVE)
    if show.isdecimal():
        return found.filter(ends_on__lte=today + timedelta(days=int(show)))
    return found
