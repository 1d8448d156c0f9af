"""A contract as FHIR R4 Contract, the team as CareTeam, and the time in which the team is responsible as EpisodeOfCare."""

from collections.abc import Iterator

from django.utils import timezone

from doorstep.care.contracts.models import Contract
from doorstep.care.contracts.rules import PACKAGES
from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.record.publishing import Published
from doorstep.people.organizations.models import Organization
from doorstep.people.workforce import queries as workforce
from doorstep.people.workforce.models import Practitioner

CONTRACT_TYPE = f"{systems.BASE}/CodeSystem/contract-type"
CONTRACT_TIER = f"{systems.BASE}/CodeSystem/contract-tier"
# What somebody is in a team (TeamMember.part).
_PARTS = {
    "family_doctor": "家庭医生",
    "nurse": "社区护士",
    "public_health_doctor": "公共卫生医师",
    "chinese_medicine_doctor": "中医师",
    "village_doctor": "乡村医生",
    "specialist": "专科医师",
}
# Of an episode of care (hl7.org/fhir/R4/valueset-episode-of-care-status.html); every other state of a contract is finished.
_EPISODES = {"draft": "planned", "active": "active", "renew-due": "active"}
SERVICE_PACKAGE = f"{systems.BASE}/CodeSystem/service-package"


def contract_resources(contract: Contract) -> list[Published]:
    """The Contract, the CareTeam that serves it and the EpisodeOfCare of its term; drafts are told as offered."""
    patient = elements.reference("Patient", contract.resident.key)
    agreement = elements.compact(
        {
            "resourceType": "Contract",
            "id": str(contract.key),
            "status": contract.machine.state(contract.state).fhir,
            "issued": elements.instant(contract.signed_at) if contract.signed_at else None,
            "applies": elements.period(contract.starts_on, contract.ends_on),
            "subject": [patient],
            "authority": [elements.reference("Organization", contract.organization.key, contract.organization.name)],
            "type": elements.concept(CONTRACT_TYPE, "family-doctor", "家庭医生签约服务协议"),
            "subType": [elements.concept(SERVICE_PACKAGE, contract.package_code, PACKAGES[contract.package_code].zh)],
            "term": [{"offer": {"party": [_party(unit, tier) for unit, tier in _hospitals(contract)]}}],
        }
    )
    running = contract.state in ("active", "renew-due")
    team = elements.compact(
        {
            "resourceType": "CareTeam",
            "id": f"{contract.key}-team",
            "status": "proposed" if contract.state == "draft" else "active" if running else "inactive",
            "name": contract.team.name,
            "subject": patient,
            "period": elements.period(contract.starts_on, contract.ends_on),
            "participant": _participants(contract),
            "managingOrganization": [
                elements.reference("Organization", contract.organization.key, contract.organization.name)
            ],
        }
    )
    return [
        Published(
            content=content,
            organization_id=contract.signing_organization_id,
            occurred_at=contract.signed_at or contract.created_at,
            episode=contract.subject,
        )
        for content in (agreement, team, _episode(contract, patient))
    ]


def _episode(contract: Contract, patient: elements.Json) -> elements.Json:
    """The term in which the centre and its team are responsible for the resident."""
    doctor = contract.doctor
    return elements.compact(
        {
            "resourceType": "EpisodeOfCare",
            "id": f"{contract.key}-care",
            "status": _EPISODES.get(contract.state, "finished" if contract.signed_at else "cancelled"),
            "type": [elements.concept(CONTRACT_TYPE, "family-doctor", "家庭医生签约服务")],
            "patient": patient,
            "managingOrganization": elements.reference(
                "Organization", contract.organization.key, contract.organization.name
            ),
            "period": elements.period(contract.starts_on, contract.ends_on),
            "careManager": elements.reference("Practitioner", doctor.key, doctor.name) if doctor else None,
            "team": [elements.reference("CareTeam", f"{contract.key}-team", contract.team.name)],
        }
    )


def _participants(contract: Contract) -> list[elements.Json]:
    """Who serves the contract: the people of the team on this day, then the centre and the hospitals of 1+2+3."""
    people: dict[object, tuple[str, Practitioner]] = {}
    if contract.doctor is not None:
        people[contract.doctor.key] = ("签约医师", contract.doctor)
    if contract.team.leader_id is not None:
        people.setdefault(contract.team.leader.key, ("团队长", contract.team.leader))
    for one in workforce.members_of(team_id=contract.team_id, day=timezone.localdate()):
        people.setdefault(one.practitioner.key, (_PARTS.get(one.part, one.part), one.practitioner))
    centre = elements.reference("Organization", contract.organization.key, contract.organization.name)
    found = [
        elements.compact(
            {
                "role": [elements.text_concept(role)],
                "member": elements.reference("Practitioner", person.key, person.name),
                "onBehalfOf": centre,
            }
        )
        for role, person in people.values()
    ]
    return found + [
        {
            "role": [elements.concept(CONTRACT_TIER, tier)],
            "member": elements.reference("Organization", unit.key, unit.name),
        }
        for unit, tier in _hospitals(contract)
    ]


def _hospitals(contract: Contract) -> Iterator[tuple[Organization, str]]:
    """The 1+2+3: the centre, the secondary and the tertiary hospital that were chosen."""
    yield contract.organization, "primary"
    if contract.secondary_hospital is not None:
        yield contract.secondary_hospital, "secondary"
    if contract.tertiary_hospital is not None:
        yield contract.tertiary_hospital, "tertiary"


def _party(unit: Organization, tier: str) -> elements.Json:
    return {
        "reference": [elements.reference("Organization", unit.key, unit.name)],
        "role": elements.concept(CONTRACT_TIER, tier),
    }
