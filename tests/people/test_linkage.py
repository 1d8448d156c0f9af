"""Linking lists: the engine weighs as the pure rules do, twins are found, and a person's word is remembered."""

import csv
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from doorstep.demo.bench import match
from doorstep.demo.twins import RATES, make_lists
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.people.identity import actions, pairs, searching, tasks
from doorstep.people.identity.linkage import link
from doorstep.people.identity.matching import Facts, clean_address, compare
from doorstep.people.identity.models import LikelyPair
from doorstep.people.residents.models import Identifier, Resident
from doorstep.people.residents.tests.factories import ZHOU_NUMBER, World, make_resident, make_staff, make_world
from doorstep.site.actors import of_user

TODAY = date(2026, 11, 22)


def test_link_weighs_as_the_pure_rules_do() -> None:
    lists = make_lists(residents=400, listed=400, twins=0.6, seed=3, today=TODAY)
    known, listed = [one.facts for one in lists.known], [one.facts for one in lists.hospital]
    found = link(known, listed)
    assert len(found) > 200
    counts = {
        "name": Counter(one.name for one in (*known, *listed)),
        "phone": Counter(one.phone for one in (*known, *listed) if one.phone),
        "address": Counter(clean_address(one.address) for one in (*known, *listed) if one.address),
    }
    for one in found:
        left, right = known[one.left], listed[one.right]
        values = {"name": left.name, "phone": left.phone, "address": clean_address(left.address)}
        shares = {field: counts[field][value] / counts[field].total() for field, value in values.items() if value}
        verdict = compare(left, right, population=len(known) + len(listed), shares=shares)
        assert one.verdict.levels == verdict.levels
        assert one.verdict.weight == pytest.approx(verdict.weight, abs=1e-3)


def test_link_finds_twins_within_the_bars() -> None:
    assert match.main(["--residents", "3000", "--seed", "5"]) == 0


def test_make_lists_is_the_same_for_a_seed() -> None:
    one, other = (make_lists(residents=200, listed=100, twins=0.5, seed=9, today=TODAY) for _ in range(2))
    assert one == other
    assert one.twins == 50
    assert sum(line.truth < 200 for line in one.hospital) == 50
    changed = [line for line in one.hospital if line.truth < 200 and line.facts != one.known[line.truth].facts]
    assert len(changed) > 25
    assert max(RATES.values()) < 0.5


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def double(world: World) -> tuple[Resident, Resident]:
    first = make_resident(organization_id=world.village, panel_of=(world.village,))
    second = make_resident(organization_id=world.village, name="周桂蓝", number="", panel_of=(world.village,))
    return first, second


@pytest.fixture
def officer(world: World) -> Actor:
    return of_user(
        make_staff(name="档案科", organization_id=world.township, role="records_officer", username="records")
    )


@pytest.mark.django_db
def test_find_doubles_lists_pairs_and_remembers_a_rejection(
    world: World, double: tuple[Resident, Resident], officer: Actor, client: Client
) -> None:
    call_command("find_doubles")
    with acting(officer):
        (pair,) = pairs.open_pairs(actor=officer)
    assert (pair.first_id, pair.second_id) == (double[0].pk, double[1].pk)
    assert pair.levels["name"] == "homophone"
    client.force_login(make_staff(name="档案科乙", organization_id=world.township, role="records_officer"))
    page = client.get(reverse("identity:review")).content.decode()
    assert "周桂蓝" in page
    assert "姓名同音" in page
    assert client.post(reverse("identity:reject", args=[pair.key])).status_code == 302
    call_command("find_doubles")
    with acting(officer):
        assert pairs.open_pairs(actor=officer) == []
    with acting(system_actor(Purpose.IMPORT)):
        assert LikelyPair.objects.get().state == "rejected"


@pytest.mark.django_db
def test_not_the_same_person_is_said_where_the_two_are_compared(
    world: World, double: tuple[Resident, Resident], client: Client
) -> None:
    client.force_login(make_staff(name="档案科", organization_id=world.township, role="records_officer"))
    address = reverse("identity:compare", args=[double[0].key]) + f"?with={double[1].key}"
    assert "formaction" not in client.get(address).content.decode()
    call_command("find_doubles")
    with acting(system_actor(Purpose.IMPORT)):
        reject = reverse("identity:reject", args=[LikelyPair.objects.get().key])
    assert f'formaction="{reject}"' in client.get(address).content.decode()
    client.post(reject)
    assert "formaction" not in client.get(address).content.decode()


def _called() -> int:
    return ProcrastinateJob.objects.filter(task_name=searching.JOB).count()


@pytest.mark.django_db
def test_search_is_called_once_however_often_it_is_pressed_and_finds(
    world: World, double: tuple[Resident, Resident], officer: Actor, client: Client
) -> None:
    client.force_login(make_staff(name="档案科", organization_id=world.township, role="records_officer"))
    for _time in range(2):
        assert client.post(reverse("identity:search")).headers["Location"] == reverse("identity:review")
    assert _called() == 1
    tasks.find_doubles()
    page = client.get(reverse("identity:review")).content.decode()
    assert "周桂蓝" in page
    client.force_login(make_staff(name="建档员", organization_id=world.township, role="registrar"))
    assert client.post(reverse("identity:search")).status_code == 403


@pytest.mark.django_db
def test_pair_that_is_not_found_any_more_goes(world: World, double: tuple[Resident, Resident]) -> None:
    call_command("find_doubles")
    with acting(system_actor(Purpose.IMPORT)) as system:
        assert LikelyPair.objects.count() == 1
        ids, _facts = pairs.everybody()
        assert pairs.note_pairs(found=[], ids=ids, actor=system) == 0
        assert LikelyPair.objects.count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize(("hour", "calls"), [(1, 0), (2, 1), (3, 0), (14, 0)])
def test_search_is_called_at_night(hour: int, calls: int) -> None:
    with acting(system_actor(Purpose.MERGE)) as system:
        now = datetime(2026, 11, 23, hour, 40, tzinfo=UTC)
        assert searching.call_at_night(now=now, actor=system) == calls
    assert _called() == calls


@pytest.mark.django_db
def test_record_offers_no_visit_to_who_may_open_none(
    world: World, double: tuple[Resident, Resident], client: Client
) -> None:
    address = reverse("residents:detail", args=[double[0].key])
    visit = reverse("visits:open", args=[double[0].key])
    client.force_login(make_staff(name="档案科", organization_id=world.township, role="records_officer"))
    assert visit not in client.get(address).content.decode()
    client.force_login(make_staff(name="李长河", organization_id=world.village, role="village_doctor"))
    assert visit in client.get(address).content.decode()


@pytest.mark.django_db
def test_pairs_are_not_there_for_another_township(world: World, double: tuple[Resident, Resident]) -> None:
    call_command("find_doubles")
    elsewhere = of_user(make_staff(name="档案", organization_id=world.other_township, role="records_officer"))
    with acting(elsewhere):
        assert pairs.open_pairs(actor=elsewhere) == []
        assert LikelyPair.objects.count() == 0


@pytest.mark.django_db
def test_merge_settles_the_pair_and_parting_rejects_it(
    world: World, double: tuple[Resident, Resident], officer: Actor
) -> None:
    call_command("find_doubles")
    with acting(officer):
        made = actions.merge(
            standing=double[0], former=double[1], choices={}, reason="核对身份证，为同一人", actor=officer
        )
        assert LikelyPair.objects.get().state == "merged"
        actions.unmerge(merge=made, reason="并非同一人，误合并", actor=officer)
        assert LikelyPair.objects.get().state == "rejected"


@pytest.mark.django_db
def test_link_list_remembers_patient_numbers_and_names_nobody(
    world: World, double: tuple[Resident, Resident], tmp_path: Path
) -> None:
    (tmp_path / "list.csv").write_text(
        "patient_number,name,birth_date,gender,id_number,phone,address\n"
        f"P001,周桂兰,1963-09-15,female,{ZHOU_NUMBER},,\n"
        "P002,钱学文,1970-01-02,male,,,\n",
        encoding="utf-8",
    )
    call_command("link_list", str(tmp_path / "list.csv"), organization="H", out=str(tmp_path / "out.csv"))
    with (tmp_path / "out.csv").open(encoding="utf-8") as file:
        answer = {row["patient_number"]: row["decision"] for row in csv.DictReader(file)}
    assert answer == {"P001": "linked", "P002": "new"}
    with acting(system_actor(Purpose.IMPORT)):
        kept = Identifier.objects.get(kind="hospital")
        assert (kept.resident_id, kept.system) == (double[0].pk, "H")
    text = (tmp_path / "out.csv").read_text(encoding="utf-8")
    assert "周桂兰" not in text
    assert str(double[0].key) not in text


@pytest.mark.django_db
def test_compare_and_merge_on_the_pages(world: World, double: tuple[Resident, Resident], client: Client) -> None:
    client.force_login(make_staff(name="档案科", organization_id=world.township, role="records_officer"))
    address = reverse("identity:compare", args=[double[0].key]) + f"?with={double[1].key}"
    page = client.get(address).content.decode()
    assert "周桂兰" in page
    assert "周桂蓝" in page
    assert client.post(address, {"reason": ""}).status_code == 422
    answer = client.post(
        address, {"reason": "核对身份证，为同一人", "name": "former", "national_id": "standing", "phone": "standing"}
    )
    assert answer.status_code == 302
    with acting(system_actor(Purpose.IMPORT)):
        assert Resident.objects.get(pk=double[0].pk).name == "周桂蓝"
    old = client.get(reverse("residents:detail", args=[double[1].key]))
    assert (old.status_code, old.headers["Location"]) == (302, reverse("residents:detail", args=[double[0].key]))
    merged = client.get(answer.headers["Location"]).content.decode()
    assert "撤销合并" in merged
    undone = client.post(answer.headers["Location"] + "undo/", {"reason": "并非同一人，误合并"})
    assert undone.status_code == 302
    with acting(system_actor(Purpose.IMPORT)):
        assert Resident.objects.get(pk=double[0].pk).name == "周桂兰"


def test_facts_without_anything_weigh_nothing() -> None:
    assert compare(Facts(), Facts(), population=1000).levels == {}
