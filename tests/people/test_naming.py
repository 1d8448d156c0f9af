"""People without a name or number: registered, named later, numbered, renumbered, and never silently another's."""

import json
from datetime import date

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.refusals import NotPermitted, Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.fhir import systems
from doorstep.kernel.record import queries as record
from doorstep.people.identity import naming
from doorstep.people.identity.doubles import likely
from doorstep.people.identity.matching import Facts
from doorstep.people.identity.models import IdentityChange
from doorstep.people.residents import actions as residents
from doorstep.people.residents import finding, queries
from doorstep.people.residents.models import Identifier, Resident
from doorstep.people.residents.patient import former_numbers
from doorstep.people.residents.tests.factories import ZHOU_NUMBER, World, make_resident, make_staff, make_world
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db

WHO = naming.Identity(name="周桂兰", birth_date=date(1963, 9, 15), gender="female", number=ZHOU_NUMBER)


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def nurse(world: World) -> Actor:
    return of_user(make_staff(name="钱护士", organization_id=world.lead, role="nurse"))


def _unknown(actor: Actor) -> Resident:
    return naming.register_unknown(gender="female", estimated_age=60, note="高速路口，120 送来，左眉有疤", actor=actor)


def test_unknown_patient_has_a_number_and_no_invented_birth_date(nurse: Actor) -> None:
    with acting(nurse):
        made = _unknown(nurse)
        patient = record.read(type="Patient", fhir_id=str(made.key))
    assert made.record_number.startswith("L")
    assert patient is not None
    assert patient["name"][0]["use"] == "anonymous"
    assert patient["birthDate"] == str(made.birth_date.year)


def test_unknown_patient_is_found_by_the_whole_record_number_within_sight(world: World, nurse: Actor) -> None:
    with acting(nurse):
        made = _unknown(nurse)
        for text in (made.record_number, made.record_number.lower(), f" {made.record_number} "):
            assert [one.key for one in finding.search_panel(text, nurse)] == [made.key]
        for text in (made.record_number[:-1], made.record_number[1:], "L", f"{made.record_number[:-1]}%"):
            assert finding.search_panel(text, nurse) == []
    stranger = of_user(make_staff(name="赵远", organization_id=world.other_village, role="village_doctor"))
    with acting(stranger):
        assert finding.search_panel(made.record_number, stranger) == []


def test_unknown_patient_is_named_later_and_the_history_is_kept(nurse: Actor) -> None:
    with acting(nurse):
        made = _unknown(nurse)
        named = naming.identify(resident=made, identity=WHO, reason="家属持身份证到院确认", actor=nurse)
        assert named is not None
        assert (named.name, named.unidentified, named.national_id) == ("周桂兰", False, ZHOU_NUMBER)
        assert queries.find_by_number(ZHOU_NUMBER, nurse) == named
        assert [one.key for one in finding.search_panel("周桂兰", nurse)] == [made.key]
        patient = record.read(type="Patient", fhir_id=str(made.key))
        before, after = (
            json.loads(str(text)) for text in IdentityChange.objects.order_by("-id").values_list("before", "after")[0]
        )
    assert patient is not None
    assert patient["birthDate"] == "1963-09-15"
    assert before["name"].startswith("无名氏")
    assert after["number"] == ZHOU_NUMBER


def test_naming_with_anothers_number_shows_nothing_and_counts(world: World, nurse: Actor) -> None:
    make_resident(organization_id=world.other_village)
    with acting(nurse):
        made = _unknown(nurse)
        assert naming.identify(resident=made, identity=WHO, reason="家属持身份证到院确认", actor=nurse) is None
        assert queries.get(resident_id=made.pk).unidentified
        closed = [residents.prove_presence(number=ZHOU_NUMBER, actor=nurse, name="x").closed for _ in range(5)]
    assert closed == [False] * 4 + [True]


def test_child_gets_its_own_number_and_leaves_the_mothers(nurse: Actor) -> None:
    new = residents.NewResident(
        name="周小宝", birth_date=date(2026, 11, 1), gender="male", mother_number=ZHOU_NUMBER, birth_order=1
    )
    own = naming.Identity(name="周子轩", birth_date=date(2026, 11, 1), gender="male", number="439981202611010015")
    with acting(nurse):
        child = residents.register(new=new, actor=nurse)
        assert child is not None
        named = naming.identify(resident=child, identity=own, reason="户口簿已上户", actor=nurse)
        assert named is not None
    with acting(system_actor(Purpose.IMPORT)):
        live = set(Identifier.objects.filter(resident=child, live=True).values_list("kind", flat=True))
    assert live == {"national-id"}


def test_another_number_takes_the_records_officer_and_keeps_the_old_one(world: World) -> None:
    zhou = make_resident(organization_id=world.village, panel_of=(world.village,))
    nurse = of_user(make_staff(name="钱护士", organization_id=world.village, role="nurse"))
    officer = of_user(make_staff(name="档案科", organization_id=world.township, role="records_officer"))
    new = naming.Identity(
        name="周桂兰",
        birth_date=date(1963, 9, 15),
        gender="female",
        number="439981196309150043",
        old_number=naming.WRONG,
    )
    with acting(nurse), pytest.raises(NotPermitted):
        naming.identify(resident=zhou, identity=new, reason="身份证号码变更", actor=nurse)
    with acting(officer):
        changed = naming.identify(resident=zhou, identity=new, reason="公安出具号码变更证明", actor=officer)
        assert changed is not None
        assert queries.find_by_number(ZHOU_NUMBER, officer) is None
        assert queries.find_by_number(new.number, officer) == zhou
        assert json.loads(IdentityChange.objects.get().before)["number"] == ZHOU_NUMBER


def test_a_phone_that_a_village_shares_makes_nobody_likely(world: World) -> None:
    nurse = of_user(make_staff(name="钱护士", organization_id=world.village, role="nurse"))
    for place in range(8):
        make_resident(
            organization_id=world.village,
            name=f"王{'甲乙丙丁戊己庚辛'[place]}",
            number="",
            birth_date=date(1960 + place, 2, 3),
            panel_of=(world.village,),
        )
    with acting(nurse):
        found = likely(
            facts=Facts(name="赵国庆", birth_date=date(1981, 7, 6), gender="male", phone="19900001234"), actor=nurse
        )
    assert found.doubles == []


def test_pages_of_naming(world: World, client: Client) -> None:
    client.force_login(make_staff(name="钱护士", organization_id=world.lead, role="nurse"))
    assert (
        client.post(reverse("identity:unknown"), {"gender": "male", "estimated_age": "200", "note": "x"}).status_code
        == 422
    )
    made = client.post(
        reverse("identity:unknown"), {"gender": "male", "estimated_age": "40", "note": "火车站广场，路人呼救"}
    )
    assert made.status_code == 302
    page = client.get(made.headers["Location"]).content.decode()
    assert "身份待确认" in page
    key = made.headers["Location"].strip("/").split("/")[-1]
    wrong = client.post(reverse("identity:identify", args=[key]), {"name": "王强", "number": "123"})
    assert wrong.status_code == 422
    right = client.post(
        reverse("identity:identify", args=[key]),
        {
            "document": "national-id",
            "name": "王强",
            "gender": "male",
            "birth_date": "1986-05-04",
            "reason": "家属到院辨认",
        },
    )
    assert right.status_code == 302
    assert "身份待确认" not in client.get(right.headers["Location"]).content.decode()


def test_registrar_who_reads_no_record_registers_corrects_and_sees_what_changed(world: World, client: Client) -> None:
    client.force_login(make_staff(name="冯登", organization_id=world.village, role="registrar"))
    baby = {
        "document": "national-id", "number": "", "name": "周小宝", "gender": "male", "birth_date": "2026-11-01",
        "mother_number": ZHOU_NUMBER, "birth_order": "1",
    }  # fmt: skip
    # A mother of 63: possible, and to be looked at.
    assert client.post(reverse("residents:register"), baby).status_code == 422
    baby["mother_checked"] = "on"
    made = client.post(reverse("residents:register"), baby)
    assert made.status_code == 302
    assert made.headers["Location"].endswith("/change/")
    shown = client.get(made.headers["Location"]).content.decode()
    assert ("年（估计）" in shown, "临时档案号" in shown) == (False, True)
    nameless = client.post(
        reverse("identity:unknown"),
        {"gender": "male", "estimated_age": "50", "note": "国道旁被人送来"},
    )
    shown = client.get(nameless.headers["Location"]).content.decode()
    assert ("年（估计）" in shown, "临时档案号" in shown) == (True, True)
    assert "周小宝" in client.get(made.headers["Location"]).content.decode()
    again = client.post(reverse("residents:register"), baby)
    assert again.status_code == 422
    assert "请更正胎次序号" in again.content.decode()
    page = reverse("identity:identify", args=[made.headers["Location"].split("/")[2]])
    own = {
        "document": "national-id", "number": "439981202611010015", "name": "周子轩", "gender": "male",
        "birth_date": "2026-11-01", "reason": "户口簿已上户",
    }  # fmt: skip
    assert client.post(page, own).headers["Location"] == made.headers["Location"]
    shown = client.get(page).content.decode()
    assert "周小宝 → 周子轩" in shown
    assert "户口簿已上户" in shown
    assert "439981********0015" in shown
    # A number that stands is the records officer's: the page says so before somebody has filled it in.
    assert "换号码或更正号码由档案管理员办理" in shown
    assert "原来的号码" not in shown
    assert client.post(page, {**own, "number": "439981202611010023", "name": "周子萱"}).status_code == 302
    shown = client.get(page).content.decode()
    assert "周子轩 → 周子萱" in shown
    assert "439981********0023" not in shown


NEW = "439981196309150043"


def _renumber(resident: Resident, number: str, actor: Actor, *, old: str) -> Resident | None:
    identity = naming.Identity(
        name="周桂兰", birth_date=date(1963, 9, 15), gender="female", number=number, old_number=old
    )
    return naming.identify(resident=resident, identity=identity, reason="公安出具号码变更证明", actor=actor)


def test_a_number_that_was_changed_goes_on_finding_its_holder_and_is_nobody_elses(world: World) -> None:
    zhou = make_resident(organization_id=world.village, panel_of=(world.village,))
    officer = of_user(make_staff(name="档案科", organization_id=world.township, role="records_officer"))
    nurse = of_user(make_staff(name="钱护士", organization_id=world.village, role="nurse"))
    with acting(officer):
        with pytest.raises(Refused) as refused, transaction.atomic():
            _renumber(zhou, NEW, officer, old="")
        assert set(refused.value.fields) == {"old_number"}
        assert _renumber(zhou, NEW, officer, old=naming.KEPT) is not None
        patient = record.read(type="Patient", fhir_id=str(zhou.key))
    assert patient is not None
    assert [(one["value"], one.get("use", "")) for one in patient["identifier"]] == [(NEW, ""), (ZHOU_NUMBER, "old")]
    with acting(nurse):
        for number in (NEW, ZHOU_NUMBER):
            assert queries.find_by_number(number, nurse) == zhou
            assert [one.key for one in finding.search_panel(number, nurse)] == [zhou.key]
            assert queries.behind_reference(reference=f"{systems.NATIONAL_ID}|{number}") == (zhou.pk, str(zhou.key))
        facts = Facts(name="周桂兰", birth_date=date(1963, 9, 15), gender="female", number=ZHOU_NUMBER)
        (double,) = likely(facts=facts, actor=nurse).doubles
        assert double.resident == zhou
        new = residents.NewResident(name="周桂兰", birth_date=date(1963, 9, 15), gender="female", number=ZHOU_NUMBER)
        assert residents.register(new=new, actor=nurse) is None
    stranger = of_user(make_staff(name="赵医师", organization_id=world.other_village, role="village_doctor"))
    with acting(stranger):
        assert likely(facts=Facts(name="周桂兰", number=ZHOU_NUMBER), actor=stranger).elsewhere == "likely"


def test_a_number_changes_back(world: World) -> None:
    zhou = make_resident(organization_id=world.village, panel_of=(world.village,))
    officer = of_user(make_staff(name="档案科", organization_id=world.township, role="records_officer"))
    with acting(officer):
        _renumber(zhou, NEW, officer, old=naming.KEPT)
        back = _renumber(queries.get(resident_id=zhou.pk), ZHOU_NUMBER, officer, old=naming.KEPT)
        assert back is not None
        assert back.national_id == ZHOU_NUMBER
        assert [number for _kind, _country, number in former_numbers(back)] == [NEW]
        assert queries.find_by_number(NEW, officer) == queries.find_by_number(ZHOU_NUMBER, officer) == zhou


def test_a_child_with_its_own_number_is_still_shown_on_its_mothers(nurse: Actor) -> None:
    born = date(2026, 11, 1)
    new = residents.NewResident(name="周小宝", birth_date=born, gender="male", mother_number=ZHOU_NUMBER, birth_order=1)
    own = naming.Identity(name="周子轩", birth_date=born, gender="male", number="439981202611010015")
    with acting(nurse):
        child = residents.register(new=new, actor=nurse)
        assert child is not None
        naming.identify(resident=child, identity=own, reason="户口簿已上户", actor=nurse)
        facts = Facts(name="周小宝", birth_date=born, gender="male")
        (double,) = likely(facts=facts, actor=nurse, mother_number=ZHOU_NUMBER).doubles
    assert (double.resident.pk, double.reasons[0]) == (child.pk, "同一位母亲、同一天出生")


def test_family_at_one_address_with_one_phone_is_no_double(world: World) -> None:
    nurse = of_user(make_staff(name="钱护士", organization_id=world.village, role="nurse"))
    make_resident(organization_id=world.village, number="", panel_of=(world.village,))
    Resident.objects.update(address="禾川县石桥村三组7号")
    told = {"phone": "19900001234", "address": "禾川县石桥村三组7号"}
    with acting(nurse):
        assert likely(facts=Facts(name="刘长根", birth_date=date(1961, 2, 3), **told), actor=nurse).doubles == []
        assert likely(facts=Facts(name="周桂蓝", birth_date=date(1961, 2, 3), **told), actor=nurse).doubles != []
