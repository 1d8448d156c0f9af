"""Allergies: asked or not, known or none, right or refuted; in the banner, the record and behind the wall."""

from uuid import uuid5

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from doorstep.coordination.allergies import actions, queries
from doorstep.coordination.allergies.models import Allergy
from doorstep.coordination.allergies.published import to_intolerance
from doorstep.kernel.access import actions as access
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.models import CareRelationship
from doorstep.kernel.access.refusals import Conflict, NotFound, NotPermitted, Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.fhir.validation import problems
from doorstep.kernel.record import actions as record_actions
from doorstep.kernel.record import queries as record
from doorstep.kernel.record.publishing import Published
from doorstep.kernel.terminology import actions as terminology
from doorstep.kernel.terminology import reading
from doorstep.people.residents import queries as residents
from doorstep.people.residents.models import Resident
from doorstep.people.residents.tests.factories import World, make_resident, make_staff, make_world
from doorstep.site.actors import of_user


def _doctor() -> tuple[World, Resident, Actor]:
    allergens = next(one for one in reading.manifest() if one.system == systems.ALLERGEN)
    with acting(system_actor(Purpose.IMPORT)) as system:
        terminology.import_system(facts=allergens, folder=reading.DATA, actor=system)
    world = make_world()
    resident = make_resident(organization_id=world.village, panel_of=(world.village,))
    return world, resident, of_user(make_staff(name="李长河", organization_id=world.village, role="village_doctor"))


@pytest.mark.django_db
def test_banner_tells_unasked_from_none_from_some() -> None:
    _, resident, doctor = _doctor()
    with acting(doctor):
        resident = residents.get(resident_id=resident.pk)
        assert residents.banner(resident).allergies is None
        none = actions.state_none(resident=resident, actor=doctor)
        assert residents.banner(resident).allergies == ()
        line = actions.record_allergy(
            resident=resident, code="penicillins", reaction="皮疹", severity="severe", actor=doctor
        )
        actions.record_allergy(resident=resident, other="  一种 野菜 ", certainty="unconfirmed", actor=doctor)
        assert residents.banner(resident).allergies == ("青霉素类", "一种 野菜（疑似）")
        assert Allergy.objects.get(pk=none.pk).state == "replaced"
        with pytest.raises(Refused):
            actions.state_none(resident=resident, actor=doctor)
        with pytest.raises(Conflict):
            actions.record_allergy(resident=resident, code="penicillins", actor=doctor)
        resource = record.read(type="AllergyIntolerance", fhir_id=str(line.key))
        assert resource is not None
        assert resource["category"] == ["medication"]
        assert resource["criticality"] == "high"
        assert resource["reaction"][0]["manifestation"] == [{"text": "皮疹"}]
        flag = record.read(type="Flag", fhir_id=str(uuid5(line.key, "flag")))
        known = record.read(type="List", fhir_id=str(uuid5(resident.key, "allergies")))
        assert flag is not None
        assert known is not None
        assert (flag["status"], flag["code"]["text"]) == ("active", "重度过敏：青霉素类")
        assert [one["item"]["display"] for one in known["entry"]] == ["青霉素类", "一种 野菜"]
        assert problems(flag) + problems(known) == []


@pytest.mark.django_db
def test_refute_keeps_the_line_and_tells_the_record() -> None:
    _, resident, doctor = _doctor()
    with acting(doctor):
        resident = residents.get(resident_id=resident.pk)
        line = actions.record_allergy(resident=resident, code="penicillins", actor=doctor)
        with pytest.raises(Refused) as refused:
            actions.refute(line=line, reason=" ", actor=doctor)
        assert "reason" in refused.value.fields
        actions.refute(line=line, reason="皮试阴性", actor=doctor)
        resource = record.read(type="AllergyIntolerance", fhir_id=str(line.key))
        assert resource is not None
        assert resource["verificationStatus"]["coding"][0]["code"] == "refuted"
        assert resource["clinicalStatus"]["coding"][0]["code"] == "inactive"
        assert residents.banner(resident).allergies is None
        with pytest.raises(Conflict):
            actions.refute(line=line, reason="皮试阴性", actor=doctor)
        actions.record_allergy(resident=resident, code="penicillins", actor=doctor)
        assert [one.state for one in queries.lines_of(resident_id=resident.pk)] == ["active", "refuted"]


@pytest.mark.django_db
def test_banner_names_what_a_hospital_sent() -> None:
    world, resident, doctor = _doctor()
    content = {
        "resourceType": "AllergyIntolerance",
        "id": "7d6c5b4a-0000-4000-8000-00000000a11e",
        "clinicalStatus": elements.concept(
            "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "active"
        ),
        "code": elements.text_concept("磺胺嘧啶"),
        "patient": elements.reference("Patient", resident.key),
    }
    with acting(system_actor(Purpose.IMPORT)) as system:
        sent = Published(content=content, organization_id=world.lead, occurred_at=resident.created_at)
        record_actions.publish(sent, resident_id=resident.pk, actor=system)
    with acting(doctor):
        assert queries.for_banner(resident.pk) == ("磺胺嘧啶",)
        with pytest.raises(Refused):
            actions.state_none(resident=residents.get(resident_id=resident.pk), actor=doctor)


@pytest.mark.django_db
def test_wall_narrow_sight_reads_and_does_not_write_a_stranger_neither() -> None:
    world, resident, doctor = _doctor()
    with acting(doctor):
        actions.record_allergy(resident=residents.get(resident_id=resident.pk), code="penicillins", actor=doctor)
    stranger = of_user(make_staff(name="赵远", organization_id=world.other_village, role="village_doctor"))
    with acting(stranger):
        assert not Allergy.objects.exists()
        with pytest.raises(NotFound):
            actions.record_allergy(resident=resident, code="milk", actor=stranger)
    with acting(system_actor(Purpose.IMPORT)) as system:
        access.open_relationship(
            resident_id=resident.pk,
            organization_id=world.lead,
            reason=CareRelationship.Reason.REFERRAL,
            scope=CareRelationship.Scope.EPISODE,
            episode="booking/x",
            actor=system,
        )
    specialist = of_user(make_staff(name="王主任", organization_id=world.lead, role="specialist"))
    with acting(specialist):
        assert queries.for_banner(resident.pk) == ("青霉素类",)
        with pytest.raises(NotPermitted):
            actions.record_allergy(resident=resident, code="milk", actor=specialist)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given_facts", "field"),
    [
        ({}, "code"),
        ({"code": "moonlight"}, "code"),
        ({"code": "milk", "other": "奶"}, "other"),
        ({"code": "milk", "severity": "deadly"}, "severity"),
        ({"code": "milk", "certainty": "maybe"}, "certainty"),
    ],
)
def test_record_allergy_says_what_is_wrong(given_facts: dict[str, str], field: str) -> None:
    _, resident, doctor = _doctor()
    with acting(doctor):
        with pytest.raises(Refused) as refused:
            actions.record_allergy(resident=residents.get(resident_id=resident.pk), actor=doctor, **given_facts)
        assert field in refused.value.fields
        assert not Allergy.objects.exists()


@pytest.mark.django_db
def test_page_records_none_and_refutes(client: Client) -> None:
    world, resident, _ = _doctor()
    client.force_login(make_staff(name="吴敏", organization_id=world.village, role="nurse"))
    address = f"/allergies/{resident.key}/"
    assert "过敏史未询问" in client.get(f"/residents/{resident.key}/").content.decode()
    assert client.post(f"{address}none/").status_code == 302
    assert client.post(address, {"certainty": "confirmed"}).status_code == 422
    assert client.post(address, {"code": "penicillins", "certainty": "confirmed"}).status_code == 302
    page = client.get(f"/residents/{resident.key}/").content.decode()
    assert "过敏：青霉素类" in page
    with acting(system_actor(Purpose.IMPORT)):
        line = Allergy.objects.get(code="penicillins")
    assert client.post(f"{address}{line.key}/refute/", {"reason": ""}).status_code == 422
    assert client.post(f"{address}{line.key}/refute/", {"reason": "皮试阴性"}).status_code == 302
    assert "皮试阴性" in client.get(address).content.decode()


@given(
    kind=st.sampled_from(["allergy", "none"]),
    state=st.sampled_from(["active", "refuted", "replaced"]),
    certainty=st.sampled_from(["confirmed", "unconfirmed"]),
)
def test_to_intolerance_is_active_only_while_it_stands(kind: str, state: str, certainty: str) -> None:
    line = Allergy(
        kind=kind,
        state=state,
        certainty=certainty,
        substance="" if kind == "none" else "牛奶",
        resident=Resident(name="甲"),
    )
    content = to_intolerance(line).content
    assert (content["clinicalStatus"]["coding"][0]["code"] == "active") == (state == "active")
    assert (content["verificationStatus"]["coding"][0]["code"] == "refuted") == (state == "refuted")
    assert content["code"]["text"]
