"""Signing, renewing and ending contracts, each by a named person."""

from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from doorstep.care.contracts import actions, handlers, queries
from doorstep.care.contracts.events import ContractSigned
from doorstep.care.contracts.models import Contract
from doorstep.care.contracts.rules import end_of
from doorstep.care.contracts.tests.factories import Signing, make_signing, sign_with
from doorstep.coordination.notices.models import Notice
from doorstep.coordination.visits import actions as visits
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.models import CareRelationship
from doorstep.kernel.access.refusals import Conflict, NotFound, NotPermitted, Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.events.models import EventRow
from doorstep.kernel.events.tasks import to_event
from doorstep.kernel.fhir.validation import problems
from doorstep.kernel.record.models import Resource
from doorstep.people.residents.models import PanelEntry
from doorstep.people.residents.tests.factories import make_staff
from doorstep.people.workforce.models import Practitioner, TeamMember

pytestmark = pytest.mark.django_db


def _open_to_team() -> None:
    with acting(system_actor(Purpose.HANDLER)):
        for row in EventRow.objects.filter(name="ContractSigned"):
            handlers.open_to_team(to_event(row, ContractSigned))


def _units(contract: Contract) -> set[int]:
    with acting(system_actor(Purpose.HANDLER)):
        live = CareRelationship.objects.filter(episode=contract.subject, closes_at__gt=timezone.now())
        return set(live.values_list("organization_id", flat=True))


def _drafted(signing: Signing, actor: Actor) -> tuple[Contract, int]:
    presence_id = signing.prove(actor)
    visits.open_visit(resident_id=signing.resident.id, actor=actor, presence_id=presence_id)
    return actions.draft(resident_id=signing.resident.id, terms=signing.terms(), actor=actor), presence_id


@pytest.mark.parametrize("who", ["family_doctor", "village_doctor"])
def test_sign_opens_the_record_to_the_centre_and_the_village(who: str) -> None:
    signing = make_signing()
    contract = sign_with(signing, getattr(signing, who))
    assert _units(contract) == {getattr(signing, who).organization_id}
    _open_to_team()
    _open_to_team()
    assert _units(contract) == {signing.world.township, signing.world.village}
    with acting(system_actor(Purpose.HANDLER)):
        assert PanelEntry.objects.filter(resident=signing.resident).count() == 2
        assert Resource.objects.get(type="Contract").content["status"] == "executed"
        assert Contract.objects.get().ends_on == end_of(timezone.localdate(), 1)


def test_sign_needs_the_residents_presence() -> None:
    signing = make_signing()
    with acting(signing.family_doctor) as chen:
        contract, presence_id = _drafted(signing, chen)
        with pytest.raises(NotFound):
            actions.sign(contract=contract, actor=chen, presence_id=presence_id + 100)
    with acting(signing.stranger) as zhao, pytest.raises(NotFound):
        actions.draft(resident_id=signing.resident.id, terms=signing.terms(), actor=zhao)


def test_sign_without_consent_is_refused_with_its_field() -> None:
    signing = make_signing()
    with acting(signing.family_doctor) as chen:
        contract, presence_id = _drafted(signing, chen)
        with pytest.raises(Refused) as refused:
            actions.sign(contract=contract, actor=chen, presence_id=presence_id, consents_to_record=False)
        assert "consents_to_record" in refused.value.fields


def test_one_person_has_one_contract() -> None:
    signing = make_signing()
    contract = sign_with(signing, signing.family_doctor)
    with acting(signing.family_doctor) as chen:
        with pytest.raises(Conflict, match="已与石桥团队签约"):
            actions.draft(resident_id=signing.resident.id, terms=signing.terms(), actor=chen)
        twin = Contract.objects.get(pk=contract.pk)
        twin.pk, twin.key, twin.previous = None, signing.resident.key, None
        with pytest.raises(IntegrityError, match="contract_one"), transaction.atomic():
            twin.save(force_insert=True)


def test_draft_says_what_is_wrong_by_field() -> None:
    signing = make_signing()
    with acting(signing.family_doctor) as chen:
        visits.open_visit(resident_id=signing.resident.id, actor=chen, presence_id=signing.prove(chen))
        with pytest.raises(Refused) as refused:
            actions.draft(
                resident_id=signing.resident.id,
                terms=signing.terms(
                    team_id=0,
                    term_years=5,
                    package_code="gold",
                    tertiary_hospital_id=signing.secondary.pk,
                    starts_on=timezone.localdate() - timedelta(days=1),
                ),
                actor=chen,
            )
    assert set(refused.value.fields) == {"team", "term_years", "package_code", "tertiary_hospital", "starts_on"}


def test_terminate_closes_what_the_contract_opened() -> None:
    signing = make_signing()
    contract = sign_with(signing, signing.village_doctor)
    _open_to_team()
    with acting(signing.family_doctor) as chen:
        found = queries.get_contract(contract_key=contract.key, actor=chen)
        with pytest.raises(Refused, match="请填写原因"):
            actions.terminate(contract=found, ending="moved", reason="", actor=chen)
        actions.terminate(contract=found, ending="moved", reason="迁往外县", actor=chen)
    assert _units(contract) == set()
    with acting(signing.stranger) as zhao, pytest.raises(NotFound):
        queries.get_contract(contract_key=contract.key, actor=zhao)


def test_a_stranger_cannot_end_a_contract() -> None:
    signing = make_signing()
    contract = sign_with(signing, signing.village_doctor)
    with acting(signing.stranger) as zhao, pytest.raises((NotFound, NotPermitted)):
        actions.terminate(contract=contract, ending="moved", reason="试试", actor=zhao)


def test_run_terms_reminds_at_60_30_and_7_days_and_expires() -> None:
    signing = make_signing()
    contract = sign_with(signing, signing.family_doctor)
    _open_to_team()
    states = []
    with acting(system_actor(Purpose.CLOCKS)) as clock:
        for days_left in (61, 60, 59, 30, 29, 7, 0, -1):
            actions.run_terms(actor=clock, today=contract.ends_on - timedelta(days=days_left))
            states.append((Contract.objects.get().state, Notice.objects.filter(kind="contract-due").count()))
    assert states == [
        ("active", 0),
        ("renew-due", 2),
        ("renew-due", 2),
        ("renew-due", 4),
        ("renew-due", 4),
        ("renew-due", 6),
        ("renew-due", 6),
        ("expired", 6),
    ]
    assert _units(contract) == set()


def test_renew_begins_the_day_after_and_the_old_one_counts_until_then() -> None:
    signing = make_signing()
    contract = sign_with(signing, signing.family_doctor)
    next_day = contract.ends_on + timedelta(days=1)
    with time_machine.travel(timezone.now() + timedelta(days=330)), acting(signing.family_doctor) as chen:
        found = queries.get_contract(contract_key=contract.key, actor=chen)
        with pytest.raises(Refused, match="到期次日"):
            actions.renew(contract=found, terms=signing.terms(), actor=chen, presence_id=1)
        following = actions.renew(
            contract=found,
            terms=signing.terms(starts_on=next_day, term_years=3),
            actor=chen,
            presence_id=signing.prove(chen),
        )
        today = queries.active_contract(resident_id=signing.resident.id)
        then = queries.active_contract(resident_id=signing.resident.id, day=next_day)
    assert today is not None
    assert then is not None
    assert (today.pk, then.pk) == (contract.pk, following.pk)


@pytest.mark.parametrize(("critical", "granted"), [(True, [True, True, True]), (False, [True, False, False])])
def test_benefits_of_a_signed_resident_over_60(critical: bool, granted: list[bool]) -> None:
    signing = make_signing()
    sign_with(signing, signing.village_doctor)
    with acting(signing.village_doctor):
        found = queries.benefits_of(signing.resident.id, critical, timezone.localdate())
    assert [decision.granted for decision in found] == granted
    assert found[0].hospital_ids == (signing.secondary.pk, signing.world.lead)


def test_benefits_of_somebody_unseen_are_not_found() -> None:
    signing = make_signing()
    with acting(signing.stranger), pytest.raises(NotFound):
        queries.benefits_of(signing.resident.id, True, timezone.localdate())


def test_care_team_names_the_people_and_the_institutions() -> None:
    signing = make_signing()
    nurse = make_staff(name="周芸", organization_id=signing.world.township, role="nurse")
    with acting(system_actor(Purpose.IMPORT)):
        person = Practitioner.objects.get(user=nurse)
        TeamMember.objects.create(
            team=signing.team, practitioner=person, part="nurse", period=DateRange(timezone.localdate(), None)
        )
    contract = sign_with(signing, signing.family_doctor)
    with acting(signing.family_doctor):
        team = Resource.objects.get(type="CareTeam", fhir_id=f"{contract.key}-team").content
        term = Resource.objects.get(type="EpisodeOfCare", fhir_id=f"{contract.key}-care").content
        assert term["team"][0]["reference"] == f"CareTeam/{contract.key}-team"
        assert problems(term) == []
    named = [(one["member"]["display"], one["role"][0].get("text")) for one in team["participant"]]
    assert named[:2] == [("陈敏", "签约医师"), ("周芸", "社区护士")]
    assert [name for name, _role in named[2:]] == ["清溪镇卫生院", "禾川县第二人民医院", "禾川县人民医院"]
    assert team["participant"][0]["onBehalfOf"]["display"] == "清溪镇卫生院"
