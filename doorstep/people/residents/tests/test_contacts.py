"""Whom to call: written down on its page, told to the record, chosen when two records are merged."""

import pytest
from django.test import Client

from doorstep.kernel.access.refusals import NotFound, Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.fhir.validation import problems
from doorstep.kernel.record import queries as record
from doorstep.kernel.record.models import Resource
from doorstep.people.residents import contacts, queries
from doorstep.people.residents.contacts import Contact
from doorstep.people.residents.tests.factories import make_resident, make_staff, make_world
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db


def test_change_contact_is_told_to_the_record_and_taken_back(client: Client) -> None:
    world = make_world()
    resident = make_resident(organization_id=world.village, panel_of=(world.village,))
    user = make_staff(name="李长河", organization_id=world.village, role="village_doctor")
    doctor, daughter = of_user(user), Contact(name="刘敏", relation="daughter", phone="19900002222", is_guardian=True)
    with acting(doctor):
        resident = queries.get(resident_id=resident.pk)
        for wrong, field in (
            (Contact(phone="19900002222"), "contact_name"),
            (Contact(name="刘敏", phone="19900002222", relation="head"), "contact_relation"),
            (Contact(name="刘敏", relation="daughter", phone="12"), "contact_phone"),
        ):
            with pytest.raises(Refused) as refused:
                contacts.change_contact(resident=resident, contact=wrong, actor=doctor)
            assert list(refused.value.fields) == [field]
        contacts.change_contact(resident=resident, contact=daughter, actor=doctor)
        (found,) = Resource.objects.filter(type="RelatedPerson").values_list("fhir_id", flat=True)
        person = record.read(type="RelatedPerson", fhir_id=found)
        assert person is not None
        assert not problems(person)
        assert [one["coding"][0]["code"] for one in person["relationship"]] == ["DAUC", "C", "GUARD"]
        assert person["telecom"][0]["value"] == "19900002222"
    stranger = of_user(make_staff(name="赵远", organization_id=world.other_village, role="village_doctor"))
    with acting(stranger), pytest.raises(NotFound):
        contacts.change_contact(resident=resident, contact=daughter, actor=stranger)
    client.force_login(user)
    page = client.get(f"/residents/{resident.key}/").content.decode()
    assert "刘敏" in page
    assert "监护人" in page
    address = f"/residents/{resident.key}/contact/"
    assert "19900002222" in client.get(address).content.decode()
    assert client.post(address, {"contact_name": "刘敏"}).status_code == 422
    assert client.post(address, {"contact_name": ""}).status_code == 302
    with acting(doctor):
        assert queries.get(resident_id=resident.pk).contact_name == ""
        assert record.read(type="RelatedPerson", fhir_id=found) is None
