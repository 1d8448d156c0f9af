"""Writing a unit's residents out as the table that the import reads, under a named purpose and with an audit entry."""

from django.utils.translation import gettext as _

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotPermitted, Refused
from doorstep.kernel.audit import actions as audit
from doorstep.people.organizations.models import Organization
from doorstep.people.residents import documents, insurance, special
from doorstep.people.residents.models import Group, Insurance, Resident
from doorstep.people.residents.permissions import Permission
from doorstep.people.residents.rules import GROUPS, RELATIONS
from doorstep.people.residents.special_models import SpecialDisease

_GENDERS = {"male": "男", "female": "女", "unknown": "未知", "other": "未说明"}


def residents_of(*, organization: Organization, reason: str, actor: Actor) -> list[tuple[str, ...]]:
    """The living residents of a unit and of all below it, a row each in the columns of `spreadsheet.COLUMNS`.

    Only the system for its purpose of export; raises NotPermitted for anybody else, Refused without a reason.
    """
    if not actor.is_system:
        raise NotPermitted(permission=Permission.RESIDENT_IMPORT)
    if not reason.strip():
        raise Refused(_("请写明导出原因，审计记录会保留。"), fields={"reason": _("请写明导出原因，审计记录会保留。")})
    found = (
        Resident.objects.filter(organization__path__contains=[organization.pk], deceased_on__isnull=True)
        .only(
            "name", "gender", "national_id", "document_kind", "document_number", "document_country", "birth_date",
            "phone", "address", "household_id", "relation_to_head",
        )
        .order_by("organization_id", "household_id", "id")
    )  # fmt: skip
    groups: dict[int, list[str]] = {}
    wanted = Group.objects.filter(resident__organization__path__contains=[organization.pk], until__isnull=True)
    for resident_id, code in wanted.order_by("since", "id").values_list("resident_id", "code"):
        groups.setdefault(resident_id, []).append(GROUPS.get(code, code))
    insured = {
        resident_id: (insurance.KINDS[kind], place)
        for resident_id, kind, place in Insurance.objects.filter(
            resident__organization__path__contains=[organization.pk], ended_at__isnull=True, is_basic=True
        ).values_list("resident_id", "kind", "place")
    }
    recognised = _recognised(organization)
    people = list(found.iterator(chunk_size=2000))
    rows = [
        (*_row(one, groups.get(one.pk, []), insured.get(one.pk, ("", ""))), "；".join(recognised.get(one.pk, ())))
        for one in people
    ]
    audit.record_list(
        action="residents.export",
        actor=actor,
        subject=f"organization/{organization.key}",
        resident_ids=[one.pk for one in people],
        basis=reason.strip()[:200],
        details={"rows": len(rows), "organization": organization.code},
    )
    return rows


def _recognised(organization: Organization) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    lines = SpecialDisease.objects.filter(
        resident__organization__path__contains=[organization.pk], ended_at__isnull=True
    ).order_by("since", "id")
    for resident_id, kind, name, since, until in lines.values_list("resident_id", "kind", "name", "since", "until"):
        found.setdefault(resident_id, []).append(special.told(kind=kind, name=name, since=since, until=until))
    return found


def _row(resident: Resident, groups: list[str], insured: tuple[str, str]) -> tuple[str, ...]:
    country = documents.COUNTRIES.get(resident.document_country, "") if resident.document_country else ""
    return (
        resident.name,
        _GENDERS.get(resident.gender, ""),
        resident.national_id,
        resident.birth_date.isoformat(),
        resident.phone,
        resident.address,
        str(resident.household_id or ""),
        RELATIONS.get(resident.relation_to_head, resident.relation_to_head),
        "；".join(groups),
        "",
        documents.KINDS.get(resident.document_kind, "") if resident.document_number else "",
        resident.document_number or "",
        country,
        *insured,
    )
