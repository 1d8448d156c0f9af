"""Identity documents: what a number of each kind looks like, and people who are registered with one."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric

from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.record import queries as record
from doorstep.people.residents import actions, documents, finding, queries
from doorstep.people.residents.models import Identifier, Resident
from doorstep.people.residents.rules import NumberFault
from doorstep.people.residents.tests.factories import make_staff, make_world
from doorstep.site.actors import of_user

TODAY = date(2026, 9, 1)
PASSPORT = actions.NewResident(
    name="Anna Müller",
    birth_date=date(1980, 4, 2),
    gender="female",
    number="C01X00T47",
    document=documents.PASSPORT,
    country="DEU",
    phone="19900005678",
)


def _number(front: str) -> str:
    body = f"{front}19800402002"
    return body + ric.calc_check_digit(body + "0")


@pytest.mark.parametrize(
    ("kind", "number", "country", "says"),
    [
        (documents.PASSPORT, "C01X00T47", "", "国家"),
        (documents.PASSPORT, "ABCDEFG", "DEU", "5 至 9 位"),
        (documents.PASSPORT, "C01X%", "DEU", "5 至 9 位"),
        (documents.HMT_PERMIT, "440000198004020025", "", "810000"),
        (documents.FOREIGN_PERMIT, "DEU44010080040", "", "以 9 开头"),
        ("library-card", "123456", "", "证件类型"),
    ],
)
def test_read_document_refuses_with_a_sentence(kind: str, number: str, country: str, says: str) -> None:
    with pytest.raises(NumberFault, match=says):
        documents.read_document(kind, number, country=country, today=TODAY)


def test_read_document_knows_the_holder_of_a_permit() -> None:
    for kind, front in ((documents.HMT_PERMIT, "810000"), (documents.FOREIGN_PERMIT, "911276")):
        holder = documents.read_document(kind, _number(front), today=TODAY).holder
        assert holder is not None
        assert (holder.birth_date, holder.gender) == (date(1980, 4, 2), "female")
    assert documents.read_document(documents.FOREIGN_PERMIT, "DEU440100800402", today=TODAY).holder is None


@given(st.text(alphabet="ABCXYZ0123456789", min_size=6, max_size=18))
def test_mask_document_hides_the_middle(number: str) -> None:
    masked = documents.mask_document(number)
    assert len(masked) == len(number)
    assert "*" in masked
    assert masked.replace("*", "") != number


@given(st.text(max_size=30))
def test_is_whole_document_takes_no_pattern(text: str) -> None:
    if documents.is_whole_document(text):
        assert documents.clean(text).isalnum()


@pytest.mark.django_db
@pytest.mark.parametrize(("number", "field"), [("E1", "number"), ("E12345678", "country")])
def test_what_is_wrong_with_a_passport_stands_at_its_own_field(number: str, field: str) -> None:
    world = make_world()
    nurse = of_user(make_staff(name="吴敏", organization_id=world.village, role="nurse"))
    with acting(nurse), pytest.raises(Refused) as refused:
        actions.register(new=replace(PASSPORT, number=number, country=""), actor=nurse)
    assert set(refused.value.fields) == {field}


@pytest.mark.django_db
def test_register_with_a_passport_is_found_by_the_whole_number_only() -> None:
    world = make_world()
    nurse = of_user(make_staff(name="吴敏", organization_id=world.village, role="nurse"))
    with acting(nurse):
        made = actions.register(new=PASSPORT, actor=nurse)
        assert made is not None
        assert (made.national_id, made.document_number, made.document_country) == ("", "C01X00T47", "DEU")
        assert [one.key for one in finding.search_panel("c01x00t47", nurse)] == [made.key]
        for part in ("C01X00", "C01X00T4", "01X00T47", "C01X%"):
            assert finding.search_panel(part, nurse) == []
        assert queries.banner(made).masked_id == "C0****T47"
        assert actions.register(new=PASSPORT, actor=nurse) is None
        other = actions.register(new=replace(PASSPORT, name="Ana Silva", country="BRA"), actor=nurse)
        assert other is not None
        patient = record.read(type="Patient", fhir_id=str(made.key))
        assert patient is not None
        (identifier,) = patient["identifier"]
        assert identifier["system"] == "http://hl7.org/fhir/sid/passport-DEU"
        assert identifier["type"]["coding"][0]["code"] == "PPN"
    zhao = of_user(make_staff(name="赵远", organization_id=world.other_village, role="village_doctor"))
    with acting(zhao):
        assert finding.search_panel("C01X00T47", zhao) == []


@pytest.mark.django_db
def test_prove_presence_with_a_passport_of_which_there_are_two() -> None:
    world = make_world()
    nurse = of_user(make_staff(name="吴敏", organization_id=world.village, role="nurse"))
    with acting(nurse):
        anna = actions.register(new=PASSPORT, actor=nurse)
        actions.register(new=replace(PASSPORT, name="Ana Silva", country="BRA"), actor=nurse)
        assert anna is not None
    zhao = of_user(make_staff(name="赵远", organization_id=world.other_village, role="village_doctor"))
    with acting(zhao):
        wrong = actions.prove_presence(number="C01X00T47", name="Anna", phone_last_four="5678", actor=zhao)
        assert wrong.presence_id is None
        right = actions.prove_presence(number="C01X00T47", name="Anna Müller", phone_last_four="5678", actor=zhao)
        assert right.presence_id is not None
        assert queries.get_presence(presence_id=right.presence_id, actor=zhao).resident_id == anna.pk


@pytest.mark.django_db
def test_register_refuses_a_permit_that_contradicts() -> None:
    world = make_world()
    nurse = of_user(make_staff(name="吴敏", organization_id=world.village, role="nurse"))
    facts = replace(PASSPORT, document=documents.HMT_PERMIT, number=_number("810000"), country="", gender="male")
    with acting(nurse):
        with pytest.raises(Refused) as refused:
            actions.register(new=facts, actor=nurse)
        assert "gender" in refused.value.fields
        made = actions.register(new=replace(facts, gender="female"), actor=nurse)
        assert made is not None
        assert Identifier.objects.filter(resident=made, kind="hmt-permit").exists()
        assert Resident.objects.get(pk=made.pk).document_kind == "hmt-permit"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text",
    ["Becker", "becker", "BECK", "Becker Anna", "anna becker", "annabecker", "Muller", "Müller", "Müller-Becker"],
)
def test_a_name_in_latin_letters_is_found_by_any_word_of_it(text: str) -> None:
    world = make_world()
    nurse = of_user(make_staff(name="吴敏", organization_id=world.village, role="nurse"))
    with acting(nurse):
        made = actions.register(new=replace(PASSPORT, name="Anna Becker Müller"), actor=nurse)
        assert made is not None
        assert [one.key for one in finding.search_panel(text, nurse)] == [made.key]
    zhao = of_user(make_staff(name="赵远", organization_id=world.other_village, role="village_doctor"))
    with acting(zhao):
        assert finding.search_panel(text, zhao) == []


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["ecker", "nn", "%", "B_cker", "_", "Becker Otto", "Schmidt"])
def test_the_middle_of_a_latin_word_finds_nobody(text: str) -> None:
    world = make_world()
    nurse = of_user(make_staff(name="吴敏", organization_id=world.village, role="nurse"))
    with acting(nurse):
        actions.register(new=replace(PASSPORT, name="Anna Becker Müller"), actor=nurse)
        assert finding.search_panel(text, nurse) == []
