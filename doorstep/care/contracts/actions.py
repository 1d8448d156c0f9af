"""Drafting, signing, renewing and ending contracts."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.care.contracts import queries
from doorstep.care.contracts.models import Contract
from doorstep.care.contracts.permissions import Permission
from doorstep.care.contracts.rules import PACKAGES, TERMS, end_of, window_of
from doorstep.coordination.notices import actions as notices
from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.models import CareRelationship
from doorstep.kernel.access.refusals import Conflict, Refused
from doorstep.kernel.workflow import actions as workflow
from doorstep.people.organizations.models import Organization
from doorstep.people.residents import actions as residents
from doorstep.people.residents import queries as resident_queries

TAKEN_BY = {"contract_one_active", "contract_one_at_a_time"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is agreed: the team, the 1+2+3 hospitals, the days and the package."""

    team_id: int
    secondary_hospital_id: int | None
    tertiary_hospital_id: int | None
    starts_on: date
    term_years: int
    package_code: str = "basic"
    sign_mode: str = Contract.SignMode.PERSON.value


@transaction.atomic
def draft(*, resident_id: int, terms: Terms, actor: Actor, previous: Contract | None = None) -> Contract:
    """Write down an agreement for signature.

    Raises Refused with a sentence per field, Conflict when the person has a contract in force already, NotFound when the
    resident is not there for the actor.
    """
    actor.check(Permission.CONTRACT_SIGN)
    resident = resident_queries.get(resident_id=resident_id)
    resident_queries.check_living(resident_id=resident_id)
    team = next((team for team in queries.teams_for(actor=actor) if team.pk == terms.team_id), None)
    faults = _faults(terms, team_known=team is not None)
    if faults or team is None or actor.organization_id is None:
        raise Refused(_("协议内容需要更正，没有保存。"), fields=faults)
    if previous is None:
        _check_free(resident_id, day=terms.starts_on)
    package = PACKAGES[terms.package_code]
    contract = Contract(
        resident=resident,
        team=team,
        doctor_id=team.leader_id,
        organization=team.organization,
        signing_organization_id=actor.organization_id,
        secondary_hospital_id=terms.secondary_hospital_id,
        tertiary_hospital_id=terms.tertiary_hospital_id,
        starts_on=terms.starts_on,
        term_years=terms.term_years,
        ends_on=end_of(terms.starts_on, terms.term_years),
        package_code=package.code,
        fee_insurance=package.insurance,
        fee_public_health=package.public_health,
        fee_resident=package.resident,
        sign_mode=terms.sign_mode,
        previous=previous,
    )
    return workflow.begin(contract, "draft", actor=actor)


@transaction.atomic
def sign(
    *,
    contract: Contract,
    actor: Actor,
    presence_id: int,
    signer_name: str = "",
    signer_relation: str = "",
    consents_to_record: bool = True,
) -> Contract:
    """Sign a draft with the resident present; the team's units see the resident's whole record until the term ends.

    The signing unit sees it at once, the database checks the proof of presence; a handler opens it to the centre and the
    village clinic. Raises Refused without consent to the record, Conflict when another contract is in force.
    """
    if not consents_to_record:
        raise Refused(
            _("居民未同意家庭医生团队查看健康档案，不能签约。"),
            fields={"consents_to_record": _("签约服务需要查看健康档案，请向居民说明并征得同意。")},
        )
    if contract.previous is None:
        _check_free(contract.resident_id, day=contract.starts_on, but=contract.pk)
    access.open_relationship(
        resident_id=contract.resident_id,
        organization_id=contract.signing_organization_id,
        reason=CareRelationship.Reason.CONTRACT,
        episode=contract.subject,
        closes_at=closes_at(contract),
        basis=_("家庭医生签约"),
        presence_id=presence_id,
        actor=actor,
    )
    residents.add_to_panel(resident=contract.resident, organization_id=contract.signing_organization_id, actor=actor)
    values = {
        "signed_at": timezone.now(),
        "signer_name": (signer_name.strip() or contract.resident.name)[:60],
        "signer_relation": signer_relation.strip()[:16],
        "consents_to_record": True,
        "consented_on": timezone.localdate(),
        "presence_id": presence_id,
    }
    try:
        with transaction.atomic():
            return workflow.apply(contract, "sign", actor=actor, values=values)
    except IntegrityError as error:
        if getattr(getattr(error.__cause__, "diag", None), "constraint_name", "") in TAKEN_BY:
            raise _taken(None) from error
        raise


@transaction.atomic
def renew(
    *,
    contract: Contract,
    terms: Terms,
    actor: Actor,
    presence_id: int,
    signer_name: str = "",
    signer_relation: str = "",
    consents_to_record: bool = True,
) -> Contract:
    """Follow a contract by a new one, from the day after it ends; the old one counts until then. Returns the new one."""
    if terms.starts_on != contract.ends_on + timedelta(days=1):
        message = _("续约须从原协议到期次日 %(day)s 起算。") % {
            "day": (contract.ends_on + timedelta(days=1)).isoformat()
        }
        raise Refused(message, fields={"starts_on": message})
    old = workflow.apply(contract, "renew", actor=actor)
    following = draft(resident_id=old.resident_id, terms=terms, actor=actor, previous=old)
    return sign(
        contract=following,
        actor=actor,
        presence_id=presence_id,
        signer_name=signer_name,
        signer_relation=signer_relation,
        consents_to_record=consents_to_record,
    )


@transaction.atomic
def terminate(*, contract: Contract, ending: str, reason: str, actor: Actor) -> Contract:
    """End a contract before its time with a coded reason and a sentence; what it opened is closed."""
    if ending not in Contract.Ending.values:
        raise Refused(_("请选择解约原因。"), fields={"ending": _("请从列表中选择解约原因。")})
    moved = workflow.apply(
        contract, "terminate", actor=actor, reason=reason, values={"ending": ending}, details={"ending": ending}
    )
    _close(moved, actor)
    return moved


def end_for_death(*, resident_id: int, actor: Actor) -> int:
    """End the contracts of a resident who has died; returns how many.

    What a contract opened stays open until its own day: the team completes the record, and a mistake can be mended.
    """
    reason = _("居民已登记死亡")
    found = list(Contract.objects.filter(resident_id=resident_id, state__in=("draft", "active", "renew-due")))
    for contract in found:
        ending = Contract.Ending.DIED.value
        workflow.apply(
            contract, "terminate", actor=actor, reason=reason, values={"ending": ending}, details={"ending": ending}
        )
    return len(found)


def open_to_team(*, contract_key: str, actor: Actor) -> int:
    """Open a signed contract to the centre and the village clinic that do not have it yet; returns how many did."""
    contract = Contract.objects.select_related("resident__organization").get(key=contract_key)
    if contract.state not in ("active", "renew-due", "renewed"):
        return 0
    opened = 0
    held = set(
        CareRelationship.objects.filter(resident_id=contract.resident_id, episode=contract.subject).values_list(
            "organization_id", flat=True
        )
    )
    for organization_id in queries.units_of_team(contract):
        if organization_id in held:
            continue
        access.open_relationship(
            resident_id=contract.resident_id,
            organization_id=organization_id,
            reason=CareRelationship.Reason.CONTRACT,
            episode=contract.subject,
            closes_at=closes_at(contract),
            basis=_("家庭医生签约"),
            actor=actor,
        )
        residents.add_to_panel(resident=contract.resident, organization_id=organization_id, actor=actor)
        opened += 1
    return opened


@transaction.atomic
def run_terms(*, actor: Actor, today: date | None = None) -> int:
    """Let contracts expire, fall due and remind at 60, 30 and 7 days before their end; returns how many were touched."""
    day = today or timezone.localdate()
    contracts = queries.due_contracts(today=day)
    for contract in contracts:
        if contract.ends_on < day:
            _close(workflow.apply(contract, "expire", actor=actor), actor)
            continue
        if contract.state == "active":
            workflow.apply(contract, "fall-due", actor=actor, due_at=closes_at(contract))
        Contract.objects.filter(pk=contract.pk).update(reminded_days=window_of(contract.days_left(day)))
        _remind(contract, actor)
    return len(contracts)


def _remind(contract: Contract, actor: Actor) -> None:
    facts = {"team": contract.team.name, "day": contract.ends_on.isoformat()}
    notices.tell(
        kind="contract-due",
        organization_id=contract.signing_organization_id,
        about=contract.resident_id,
        link=contract.subject,
        params=facts,
        actor=actor,
    )
    notices.tell(kind="contract-due", resident_id=contract.resident_id, params=facts, actor=actor)


def closes_at(contract: Contract) -> datetime:
    """The first instant after the term: midnight in China after its last day."""
    return timezone.make_aware(datetime.combine(contract.ends_on + timedelta(days=1), time()))


def _close(contract: Contract, actor: Actor) -> None:
    access.close_relationship(
        resident_id=contract.resident_id,
        reason=CareRelationship.Reason.CONTRACT,
        episode=contract.subject,
        actor=actor,
    )


def _check_free(resident_id: int, *, day: date, but: int | None = None) -> None:
    running = queries.active_contract(resident_id=resident_id, day=day)
    if running is not None and running.pk != but:
        raise _taken(running)


def _taken(running: Contract | None) -> Conflict:
    if running is None:
        message = _("这位居民已有生效的签约，不能重复签约。请刷新后查看。")
    else:
        message = _("这位居民已与%(team)s签约，至 %(day)s 到期；更换团队请先办理解约。") % {
            "team": running.team.name,
            "day": running.ends_on.isoformat(),
        }
    return Conflict(message, fields={"team": message}, code="already-signed")


def _faults(terms: Terms, *, team_known: bool) -> dict[str, str]:
    today = timezone.localdate()
    found: dict[str, str] = {}
    if not team_known:
        found["team"] = _("请选择为本单位服务的家庭医生团队。")
    if terms.term_years not in TERMS:
        found["term_years"] = _("签约周期为 1 年、2 年或 3 年。")
    if terms.package_code not in PACKAGES:
        found["package_code"] = _("请从列表中选择服务包。")
    if terms.starts_on < today and terms.sign_mode != Contract.SignMode.PAPER:
        found["starts_on"] = _("生效日期不能早于今天；补录纸质协议请选择“纸质协议补录”。")
    for name, tier, hospital_id in (
        ("secondary_hospital", 2, terms.secondary_hospital_id),
        ("tertiary_hospital", 3, terms.tertiary_hospital_id),
    ):
        if hospital_id is not None and not Organization.objects.filter(id=hospital_id, tier=tier).exists():
            found[name] = _("请从列表中选择医院。")
    return found
