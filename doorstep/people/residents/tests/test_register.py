"""Registering people, also two desks at once."""

import threading
from dataclasses import replace
from datetime import date
from uuid import uuid5

import pytest
from django.db import connection

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound, NotPermitted, Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.fhir import systems
from doorstep.kernel.fhir.validation import problems
from doorstep.kernel.record import queries as record
from doorstep.people.residents import actions, finding, queries
from doorstep.people.residents.flags import flag_id
from doorstep.people.residents.forms import RegisterForm
from doorstep.people.residents.models import Resident
from doorstep.people.residents.tests.factories import ZHOU_NUMBER, World, make_resident, make_staff, make_world
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db

ZHOU = actions.NewResident(
    name="周桂兰",
    birth_date=date(1963, 9, 15),
    gender="female",
    number=ZHOU_NUMBER,
    phone="19900001234",
    address="石桥村 3 组 12 号",
    groups=("hypertension",),
)


def _nurse() -> tuple[World, Actor]:
    world = make_world()
    return world, of_user(make_staff(name="吴敏", organization_id=world.village, role="nurse"))


def test_register_makes_the_resident_visible_to_the_unit_alone() -> None:
    world, nurse = _nurse()
    with acting(nurse):
        made = actions.register(new=ZHOU, actor=nurse)
        assert made is not None
        shown = queries.banner(queries.get_by_key(made.key, nurse))
        assert (shown.masked_id, shown.groups) == ("439981********0027", (("hypertension", "高血压患者"),))
        assert [one.key for one in finding.search_panel("zgl", nurse)] == [made.key]
        patient = record.read(type="Patient", fhir_id=str(made.key))
        assert patient is not None
        assert patient["identifier"][0]["value"] == ZHOU_NUMBER
        flag = record.read(type="Flag", fhir_id=flag_id(made.key, "hypertension"))
        assert flag is not None
        assert not problems(flag)
        assert (flag["status"], flag["code"]["coding"][0]["code"]) == ("active", "hypertension")
        actions.change(resident=made, actor=nurse, phone=made.phone, address=made.address, groups=["mental"])
        flag = record.read(type="Flag", fhir_id=flag_id(made.key, "hypertension"))
        assert flag is not None
        assert (flag["status"], "end" in flag["period"]) == ("inactive", True)
        # What is not said aloud is a sensitive entry: veiled for who wrote it too.
        assert record.read(type="Flag", fhir_id=flag_id(made.key, "mental")) is None
    zhao = of_user(make_staff(name="赵远", organization_id=world.other_village, role="village_doctor"))
    with acting(zhao), pytest.raises(NotFound):
        queries.get_by_key(made.key, zhao)


def test_register_number_that_is_taken_shows_nothing() -> None:
    world, nurse = _nurse()
    make_resident(organization_id=world.other_village)
    with acting(nurse):
        assert actions.register(new=ZHOU, actor=nurse) is None
        assert not Resident.objects.exists()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"number": ZHOU_NUMBER[:-1] + "5"}, "number"),
        ({"number": "1234"}, "number"),
        ({"birth_date": date(1963, 9, 16)}, "birth_date"),
        ({"gender": "male"}, "gender"),
        ({"name": " "}, "name"),
        ({"phone": "1990-000"}, "phone"),
        ({"groups": ("nobody",)}, "groups"),
        ({"number": "", "mother_number": ZHOU_NUMBER, "birth_date": date(1973, 9, 14)}, "mother_number"),
        ({"number": "", "mother_number": ZHOU_NUMBER, "birth_date": date(1950, 1, 1)}, "mother_number"),
    ],
)
def test_register_refuses_facts_that_contradict(change: dict[str, object], field: str) -> None:
    _, nurse = _nurse()
    with acting(nurse):
        with pytest.raises(Refused) as refused:
            actions.register(new=replace(ZHOU, **change), actor=nurse)  # type: ignore[arg-type]
        assert field in refused.value.fields
        assert not Resident.objects.exists()


def test_register_form_reads_birth_date_and_sex_from_the_card() -> None:
    form = RegisterForm({"document": "national-id", "number": ZHOU_NUMBER, "name": "周桂兰"})
    assert form.is_valid(), form.errors
    assert (form.cleaned_data["gender"], form.cleaned_data["birth_date"]) == ("female", date(1963, 9, 15))
    for given in ({"number": ""}, {"number": ZHOU_NUMBER[:-1]}, {"document": "passport", "number": "E12345678"}):
        asked = RegisterForm({"document": "national-id", "name": "周桂兰", **given})
        assert {"gender", "birth_date"} <= set(asked.errors)


def test_register_form_asks_again_about_a_mother_of_an_unusual_age() -> None:
    child = {"document": "national-id", "name": "小石头", "gender": "male", "mother_number": ZHOU_NUMBER}
    grandmother = RegisterForm({**child, "birth_date": "2026-11-01"})
    assert set(grandmother.errors) == {"mother_checked"}
    assert "63 岁" in str(grandmother.errors["mother_checked"])
    assert RegisterForm({**child, "birth_date": "2026-11-01", "mother_checked": "on"}).is_valid()
    assert RegisterForm({**child, "birth_date": "1990-11-01"}).is_valid()


def test_register_without_a_number_gives_a_record_number() -> None:
    _, nurse = _nurse()
    with acting(nurse):
        made = actions.register(new=replace(ZHOU, number=""), actor=nurse)
        assert made is not None
        assert made.record_number.startswith("L")


def test_register_child_on_the_mothers_number_once() -> None:
    _, nurse = _nurse()
    baby = actions.NewResident(
        name="小石头", birth_date=date(2026, 11, 1), gender="male", mother_number=ZHOU_NUMBER, groups=("child",)
    )
    with acting(nurse):
        child = actions.register(new=baby, actor=nurse)
        assert child is not None
        mother = record.read(type="RelatedPerson", fhir_id=str(uuid5(child.key, "mother")))
        assert mother is not None
        assert mother["identifier"] == [{"system": systems.NATIONAL_ID, "value": ZHOU_NUMBER}]
        assert problems(mother) == []
        assert actions.register(new=baby, actor=nurse) is None
        assert actions.register(new=replace(baby, name="小竹", birth_order=2), actor=nurse)


def test_register_without_permission_is_refused() -> None:
    world, _ = _nurse()
    manager = of_user(make_staff(name="马主任", organization_id=world.lead, role="manager"))
    with acting(manager), pytest.raises(NotPermitted):
        actions.register(new=ZHOU, actor=manager)


def test_change_moves_the_phones_indexes() -> None:
    _, nurse = _nurse()
    with acting(nurse):
        made = actions.register(new=ZHOU, actor=nurse)
        assert made is not None
        actions.change(
            resident=made, actor=nurse, phone="19900005678", address=made.address, groups=["elderly", "hypertension"]
        )
        assert finding.search_panel("19900001234", nurse) == []
        assert len(finding.search_panel("19900005678", nurse)) == 1
        assert {code for code, _ in queries.banner(made).groups} == {"elderly", "hypertension"}


@pytest.mark.django_db(transaction=True)
def test_register_at_two_desks_at_once_gives_one_resident() -> None:
    world, nurse = _nurse()
    other = of_user(make_staff(name="郑红", organization_id=world.other_village, role="nurse"))
    ready = threading.Barrier(2)
    answers: list[bool] = []

    def desk(actor: Actor) -> None:
        ready.wait()
        try:
            with acting(actor):
                answers.append(actions.register(new=ZHOU, actor=actor) is not None)
        finally:
            connection.close()

    desks = [threading.Thread(target=desk, args=(actor,)) for actor in (nurse, other)]
    for one in desks:
        one.start()
    for one in desks:
        one.join()
    assert sorted(answers) == [False, True]
