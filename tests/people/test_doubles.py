"""Likely doubles at the desk: reasons for those in sight, one hint for others, and no oracle."""

import uuid
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.models import CareRelationship
from doorstep.kernel.access.session import acting
from doorstep.people.identity.doubles import REASONS, Elsewhere, Found, likely
from doorstep.people.identity.matching import Facts, compare, one_slip
from doorstep.people.identity.weights import LEVELS
from doorstep.people.residents import actions as residents
from doorstep.people.residents.models import PanelEntry, Resident
from doorstep.people.residents.rules import NEAR_SOUNDS, sound, spell
from doorstep.people.residents.tests.factories import ZHOU_NUMBER, World, make_resident, make_staff, make_world
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db

BORN = date(1963, 9, 15)


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def zhou(world: World) -> Resident:
    return make_resident(organization_id=world.village, panel_of=(world.village,))


@pytest.fixture
def nurse(world: World) -> Actor:
    return of_user(make_staff(name="钱护士", organization_id=world.village, role="nurse"))


@pytest.fixture
def stranger(world: World) -> Actor:
    return of_user(make_staff(name="赵远", organization_id=world.other_village, role="village_doctor"))


def _ask(actor: Actor, **facts: Any) -> Found:
    with acting(actor):
        return likely(facts=Facts(**facts), actor=actor)


@pytest.mark.parametrize(
    ("facts", "reasons"),
    [
        ({"number": ZHOU_NUMBER}, {"证件号码相同"}),
        ({"name": "周桂兰", "birth_date": BORN}, {"姓名相同", "出生日期相同"}),
        ({"name": "邹贵南", "birth_date": BORN}, {"姓名近音", "出生日期相同"}),
        ({"name": "周贵兰", "birth_date": BORN}, {"姓名同音", "出生日期相同"}),
        ({"name": "周桂花", "birth_date": BORN, "phone": "19900001234"}, {"姓名差一个字", "出生日期相同", "电话相同"}),
        ({"name": "周桂兰", "number": "439981196309150072"}, {"姓名相同", "证件号码只差一处"}),
    ],
)
def test_likely_shows_those_in_sight_with_reasons(
    zhou: Resident, nurse: Actor, facts: dict[str, Any], reasons: set[str]
) -> None:
    found = _ask(nurse, **facts)
    assert [one.resident.pk for one in found.doubles] == [zhou.pk]
    assert set(found.doubles[0].reasons) == reasons
    assert found.elsewhere is Elsewhere.NONE


def test_likely_shows_nobody_for_a_name_alone_or_a_fragment(zhou: Resident, nurse: Actor) -> None:
    for facts in ({"name": "周桂兰"}, {"number": ZHOU_NUMBER[:17]}, {"phone": "1990000123"}, {"name": "周"}):
        found = _ask(nurse, **facts)
        assert (found.doubles, found.elsewhere) == ([], Elsewhere.NONE), facts


def test_likely_gives_one_hint_and_no_data_outside_the_panel(zhou: Resident, stranger: Actor, client: Client) -> None:
    for facts in ({"number": ZHOU_NUMBER}, {"name": "周桂兰", "birth_date": BORN, "phone": "19900001234"}):
        found = _ask(stranger, **facts)
        assert (found.doubles, found.elsewhere) == ([], Elsewhere.LIKELY)
    for facts in (
        {"number": ZHOU_NUMBER[:17]},
        {"name": "周桂兰", "birth_date": BORN},
        {"phone": "19900001234"},
        {"name": "周桂兰", "phone": "19900001234"},
        {"name": "周桂", "birth_date": BORN, "phone": "19900001234"},
    ):
        found = _ask(stranger, **facts)
        assert (found.doubles, found.elsewhere) == ([], Elsewhere.NONE), facts


def test_hints_close_after_five_people_and_then_answer_alike(world: World, stranger: Actor) -> None:
    numbers = [f"43998119630915{order:03d}0" for order in range(1, 8)]
    for number in numbers[:6]:
        make_resident(organization_id=world.village, number=number, phone="", name="甲乙")
    answers = [_ask(stranger, number=number).elsewhere for number in numbers]
    assert answers == [Elsewhere.LIKELY] * 5 + [Elsewhere.CLOSED] * 2
    # Asking about the same person again while typing costs nothing.
    assert _ask(stranger, number=numbers[0]).elsewhere is Elsewhere.LIKELY


def test_hints_close_after_sixty_people_whom_nobody_knows(stranger: Actor, world: World) -> None:
    with acting(stranger), connection.cursor() as cursor:
        for _ in range(60):
            cursor.execute("SELECT identity_known_elsewhere(%s, NULL, NULL, NULL)", [uuid.uuid4()])
            assert cursor.fetchone() == ("none",)
        cursor.execute("SELECT identity_known_elsewhere(%s, NULL, NULL, NULL)", [uuid.uuid4()])
        assert cursor.fetchone() == ("closed",)


def test_doubles_part_names_nobody_to_a_stranger(zhou: Resident, world: World, client: Client) -> None:
    client.force_login(make_staff(name="赵远", organization_id=world.other_village, role="village_doctor"))
    answer = client.post(reverse("identity:doubles"), {"number": ZHOU_NUMBER, "name": "周"})
    text = answer.content.decode()
    assert "可能已建档，请核验本人到场后继续" in text
    assert "周桂兰" not in text
    assert "石桥" not in text


def test_doubles_part_shows_reasons_to_the_own_unit(zhou: Resident, world: World, client: Client) -> None:
    client.force_login(make_staff(name="钱护士", organization_id=world.village, role="nurse"))
    answer = client.post(
        reverse("identity:doubles"), {"name": "邹贵南", "birth_date": "1963-09-15", "gender": "female"}
    )
    text = answer.content.decode()
    assert "周桂兰" in text
    assert "姓名近音" in text


def test_child_on_the_same_mothers_number_is_shown(world: World, nurse: Actor) -> None:
    new = residents.NewResident(
        name="周小宝", birth_date=date(2026, 11, 1), gender="male", mother_number=ZHOU_NUMBER, birth_order=1
    )
    with acting(nurse):
        child = residents.register(new=new, actor=nurse)
        assert child is not None
        found = likely(
            facts=Facts(name="周二宝", birth_date=date(2026, 11, 1), gender="male"),
            actor=nurse,
            mother_number=ZHOU_NUMBER,
        )
        heard = likely(
            facts=Facts(name="周小宝", birth_date=date(2026, 11, 1), gender="male"),
            actor=nurse,
            mother_number=ZHOU_NUMBER,
        )
    assert [one.resident.pk for one in found.doubles] == [child.pk]
    # The mother is said also of a child whom its own name and day had found.
    assert [one.reasons[:2] for one in heard.doubles] == [("同一位母亲、同一天出生", "姓名相同")]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from("周邹桂贵兰南静金冯洪刘牛陈岑张长生森成辛"), min_size=1, max_size=4))
def test_sound_of_the_database_is_that_of_the_rule(world: World, characters: list[str]) -> None:
    pinyin = spell("".join(characters)).pinyin
    with acting(system_actor(Purpose.IMPORT)):
        resident = make_resident(organization_id=world.village, number="", phone="")
        entry = PanelEntry.objects.create(
            organization_id=world.village, resident=resident, name="甲", pinyin=pinyin, since=BORN
        )
        entry.refresh_from_db()
        assert entry.sound == sound(pinyin)


@pytest.mark.parametrize(
    ("one", "other"), [("张", "脏"), ("是", "四"), ("陈", "岑"), ("兰", "南"), ("金", "经"), ("成", "岑"), ("胡", "福")]
)
def test_sound_folds_near_sounds(one: str, other: str) -> None:
    assert sound("zhou guilan") == sound("zhou gui lan")
    assert sound(spell(one).pinyin) == sound(spell(other).pinyin)
    assert len(NEAR_SOUNDS) == 8


_FACTS = st.builds(
    Facts,
    name=st.sampled_from(["周桂兰", "邹贵南", "周贵兰", "李长河", "王伟", ""]),
    birth_date=st.sampled_from([BORN, date(1963, 9, 16), date(1964, 3, 4), date(1964, 4, 3), None]),
    gender=st.sampled_from(["male", "female", "unknown", ""]),
    number=st.sampled_from([ZHOU_NUMBER, "439981196309150072", "439981198001010019", ""]),
    phone=st.sampled_from(["19900001234", "19900001235", ""]),
    address=st.sampled_from(["禾川县清溪镇石桥村3组", "石桥村3组", "北岭镇", ""]),
)


@given(_FACTS, _FACTS)
def test_compare_is_symmetric_and_its_probability_is_one(one: Facts, other: Facts) -> None:
    left, right = compare(one, other, population=1000), compare(other, one, population=1000)
    assert left == right
    assert 0.0 <= left.probability <= 1.0
    assert set(left.levels) <= set(LEVELS)


@given(_FACTS, _FACTS)
def test_another_number_is_never_linked_without_a_person(one: Facts, other: Facts) -> None:
    verdict = compare(one, other, population=2)
    if verdict.levels.get("number") == "different":
        assert not verdict.automatic


def test_every_level_that_is_shown_has_its_words() -> None:
    shown = {(field, level.code) for field, levels in LEVELS.items() for level in levels}
    silent = {("gender", "same"), ("phone", "different"), ("address", "different")}
    assert shown - silent == set(REASONS)


def test_siblings_born_on_one_day_are_not_linked_without_a_person() -> None:
    facts: dict[str, Any] = {"birth_date": BORN, "gender": "male", "phone": "19900001234", "address": "石桥村3组"}
    assert not compare(Facts(name="李子轩", **facts), Facts(name="李子浩", **facts), population=1000).automatic


@pytest.mark.parametrize(
    ("one", "other", "slip"),
    [
        ("1234", "1243", True),
        ("1234", "1235", True),
        ("1234", "1234", False),
        ("1234", "2143", False),
        ("12", "123", False),
    ],
)
def test_one_slip(one: str, other: str, slip: bool) -> None:
    assert one_slip(one, other) is slip


def test_doubles_lead_a_registrar_to_the_page_that_a_registrar_has(
    zhou: Resident, world: World, client: Client
) -> None:
    client.force_login(make_staff(name="建档员", organization_id=world.village, role="registrar"))
    page = client.post(reverse("identity:doubles"), {"number": ZHOU_NUMBER}).content.decode()
    address = reverse("residents:change", args=[zhou.key])
    assert address in page
    assert reverse("residents:detail", args=[zhou.key]) + '"' not in page
    assert client.get(address).status_code == 200


def test_two_numbers_with_two_names_are_two_people(zhou: Resident, nurse: Actor) -> None:
    asked = {"name": "周小妹", "number": "439981196309150048", "birth_date": BORN, "phone": zhou.phone}
    assert _ask(nurse, **asked).doubles == []
    assert _ask(nurse, **{**asked, "name": "周桂蓝"}).doubles


def test_name_and_address_are_enough_to_ask(zhou: Resident, nurse: Actor) -> None:
    home = "禾川县清溪镇石桥村3组2号"
    with acting(nurse):
        residents.change(resident=zhou, actor=nurse, phone=zhou.phone, address=home, groups=())
    assert _ask(nurse, name="周桂兰").doubles == []
    found = _ask(nurse, name="周桂兰", address=home)
    assert [one.resident.pk for one in found.doubles] == [zhou.pk]
    assert {"姓名相同", "住址相同"} <= set(found.doubles[0].reasons)


def test_presence_takes_up_what_was_typed_and_counts_no_try(zhou: Resident, world: World, client: Client) -> None:
    client.force_login(make_staff(name="赵远", organization_id=world.other_village, role="village_doctor"))
    page = client.post(reverse("identity:doubles"), {"number": ZHOU_NUMBER, "name": "周桂兰"}).content.decode()
    assert f'formaction="{reverse("residents:presence")}"' in page
    for _time in range(6):
        typed = client.post(reverse("residents:presence"), {"begin": "1", "number": ZHOU_NUMBER, "name": "周桂兰"})
        assert typed.status_code == 200
        assert ZHOU_NUMBER in typed.content.decode()
    assert client.get(_proved(client)).status_code == 200


def _proved(client: Client, **second: str) -> str:
    facts = {"number": ZHOU_NUMBER, "second": "phone", "name": "周桂兰", "last_four": "1234", **second}
    return str(client.post(reverse("residents:presence"), facts).headers["Location"])


def test_registrar_takes_in_who_is_registered_elsewhere(zhou: Resident, world: World, client: Client) -> None:
    staff = make_staff(name="建档员", organization_id=world.other_village, role="registrar")
    client.force_login(staff)
    address = reverse("residents:change", args=[zhou.key])
    assert client.get(address).status_code == 404
    proved = _proved(client)
    page = client.get(proved).content.decode()
    assert "登记到本单位" in page
    assert "开始接诊" not in page
    answer = client.post(proved, {"then": "record"})
    assert answer.headers["Location"] == address
    assert client.get(address).status_code == 200
    actor = of_user(staff)
    with acting(actor):
        assert PanelEntry.objects.filter(resident=zhou, organization_id=world.other_village).count() == 1
        assert Resident.objects.filter(pk=zhou.pk).count() == 1
    with acting(system_actor(Purpose.IMPORT)):
        (opened,) = CareRelationship.objects.filter(resident_id=zhou.pk, basis="到场登记")
        assert opened.closes_at is not None
        assert (opened.closes_at - opened.opened_at).days in (29, 30)


def test_family_doctor_goes_from_presence_to_the_contract(zhou: Resident, world: World, client: Client) -> None:
    client.force_login(make_staff(name="何文静", organization_id=world.other_township, role="family_doctor"))
    proved = _proved(client)
    assert "签约家庭医生" in client.get(proved).content.decode()
    answer = client.post(proved, {"then": "contract"})
    assert answer.headers["Location"] == reverse("contracts:new-for", args=[zhou.key])
    assert client.get(answer.headers["Location"]).status_code == 200


def test_nobody_takes_in_with_the_proof_of_a_colleague(zhou: Resident, world: World, client: Client) -> None:
    client.force_login(make_staff(name="建档员", organization_id=world.other_village, role="registrar"))
    proved = _proved(client)
    client.force_login(make_staff(name="建档员乙", organization_id=world.other_village, role="registrar"))
    assert client.post(proved, {"then": "record"}).status_code == 404
