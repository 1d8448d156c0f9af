"""What the server says of itself, as resources: valid, searched, and every address of the CapabilityStatement answers."""

import pytest
from django.test import Client

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.fhir import systems, validation
from doorstep.kernel.record import capability
from doorstep.site.fhir import conformance, own_operations, profiles
from tests.fhir.house import House, make_house

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(client: Client) -> House:
    return make_house(client)


def test_definitions_are_published_once_and_found(house: House) -> None:
    with acting(system_actor(Purpose.HANDLER)) as actor:
        assert conformance.publish_definitions(actor=actor) > 1000
        assert conformance.publish_definitions(actor=actor) == 0
    statement = house.own.ask("GET", "metadata").json()
    assert validation.problems(statement) == []
    rest = statement["rest"][0]
    entries = {one["type"]: one for one in rest["resource"]}

    def total(query: str) -> int:
        answer = house.foreign.ask("GET", f"{query}&_total=accurate&_count=1")
        assert answer.status_code == 200, answer.content
        return int(answer.json()["total"])

    operations = [*rest["operation"], *(one for entry in entries.values() for one in entry["operation"])]
    elsewhere = {one["definition"] for one in operations if "/uv/" in one["definition"]}
    for definition in {one["definition"] for one in operations} - elsewhere:
        assert total(f"OperationDefinition?url={definition}") == 1, definition
    for type in ("Patient", "Group", "SearchParameter"):
        for one in entries[type]["searchParam"]:
            assert total(f"SearchParameter?url={one['definition']}") == 1, one
    for url in [*entries["ServiceRequest"]["supportedProfile"], *(one.url for one in profiles.EXTENSIONS)]:
        assert total(f"StructureDefinition?url={url}") == 1, url
    for query in (
        f"CapabilityStatement?url={statement['instantiates'][0]}&status=active&name=doorstep",
        f"CompartmentDefinition?url={rest['compartment'][0]}",
        "SearchParameter?base=Patient&code=birthdate&type=date",
        "StructureDefinition?type=ServiceRequest&kind=resource&name=Referral&version=0.1.0",
        "OperationDefinition?code=hold&system=false&name=Slothold",
        f"ImplementationGuide?url={conformance.GUIDE}",
    ):
        assert total(query) >= 1, query
    assert house.own.ask("GET", "SearchParameter?bsae=Patient").status_code == 400
    assert house.own.ask("DELETE", "CapabilityStatement/doorstep").status_code == 403


def test_definitions_of_ours_are_valid_and_none_is_forgotten() -> None:
    for one in [
        *profiles.structure_definitions(),
        *own_operations.operation_definitions(),
        capability.described(),
    ]:
        assert validation.problems(one) == [], one["url"]
    assert validation.problems(conformance.guide(profiles.structure_definitions())) == []
    named = {
        value
        for name, value in vars(systems).items()
        if isinstance(value, str) and "/StructureDefinition/" in value and value.startswith(systems.BASE)
    }
    assert named <= {one["url"] for one in profiles.structure_definitions()}
