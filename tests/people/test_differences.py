"""Two people are not made one by a slip: what differs strongly is confirmed, two valid numbers take two persons."""

from datetime import date
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.refusals import Conflict, NotFound, Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.worklist.models import Task
from doorstep.people.identity import actions, proposing
from doorstep.people.identity.differences import differences, strong, takes_two
from doorstep.people.identity.models import Merge, MergeProposal
from doorstep.people.residents import queries as residents
from doorstep.people.residents.models import Resident
from doorstep.people.residents.tests.factories import ZHOU_NUMBER, World, make_resident, make_staff, make_world
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db
SISTER = "439981196309150043"
MAN = "439981195002030018"
REASON = "公安户籍科出具号码变更证明，本人到场核对"


def _resident(**facts: Any) -> Resident:
    known = {"name": "周桂兰", "gender": "female", "birth_date": date(1963, 9, 15), "national_id": ""}
    return Resident(**{**known, **facts})


@pytest.mark.parametrize(
    ("facts", "slips", "loud"),
    [
        ({}, [], []),
        ({"name": "周桂蓝"}, ["name"], []),
        ({"name": "周桂英"}, [], ["name"]),
        ({"name": "王建国", "gender": "male"}, [], ["name", "gender"]),
        ({"gender": "unknown"}, [], []),
        ({"birth_date": date(1963, 9, 16)}, ["birth_date"], []),
        ({"birth_date": date(1983, 9, 15)}, [], ["birth_date"]),
        ({"birth_date": date(1941, 2, 7)}, [], ["birth_date"]),
        ({"name": "无名氏1123-095412", "unidentified": True, "birth_date": date(1960, 1, 1)}, [], []),
        ({"unidentified": True, "gender": "male"}, [], ["gender"]),
    ],
)
def test_differences_tell_slips_from_another_person(facts: dict[str, Any], slips: list[str], loud: list[str]) -> None:
    found = differences(_resident(), _resident(**facts))
    assert [one.code for one in found if one.strong] == loud
    assert [one.code for one in found if not one.strong] == slips


@pytest.mark.parametrize(
    ("left", "right", "facts", "two"),
    [
        (ZHOU_NUMBER, "", {"name": "王建国"}, False),
        (ZHOU_NUMBER, ZHOU_NUMBER, {"name": "王建国"}, False),
        # The same day, sex and name: a number that was given twice and replaced.
        (ZHOU_NUMBER, SISTER, {}, False),
        # Twin sisters.
        (ZHOU_NUMBER, SISTER, {"name": "周桂英"}, True),
        # The number itself says another sex and day, whatever the record says.
        (ZHOU_NUMBER, MAN, {}, True),
        # A slip of the pen is no valid number.
        (ZHOU_NUMBER, ZHOU_NUMBER[:-1] + "1", {"name": "王建国"}, False),
    ],
)
def test_two_valid_numbers_and_another_difference_take_two(
    left: str, right: str, facts: dict[str, Any], two: bool
) -> None:
    assert takes_two(_resident(national_id=left), _resident(national_id=right, **facts)) is two


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def zhou(world: World) -> Resident:
    return make_resident(organization_id=world.village, panel_of=(world.village,))


@pytest.fixture
def man(world: World) -> Resident:
    """王建国 without a number: another name, sex and birth date."""
    return make_resident(
        organization_id=world.village,
        name="王建国",
        number="",
        gender="male",
        birth_date=date(1950, 2, 3),
        panel_of=(world.village,),
    )


@pytest.fixture
def sister(world: World) -> Resident:
    return make_resident(organization_id=world.village, name="周桂英", number=SISTER, panel_of=(world.village,))


def _officer(world: World, name: str) -> User:
    return make_staff(name=name, organization_id=world.township, role="records_officer")


def test_merge_of_another_name_and_sex_is_refused_until_each_is_confirmed(
    world: World, zhou: Resident, man: Resident
) -> None:
    officer = of_user(_officer(world, "档案科"))
    with acting(officer):
        with pytest.raises(Refused) as refused, transaction.atomic():
            actions.merge(standing=zhou, former=man, choices={}, reason="核对", actor=officer)
        assert set(refused.value.fields) == {"sure_name", "sure_gender", "sure_birth_date", "reason"}
        with pytest.raises(Refused) as refused, transaction.atomic():
            actions.merge(
                standing=zhou, former=man, choices={}, reason=REASON, actor=officer, confirmed=["name", "gender"]
            )
        assert set(refused.value.fields) == {"sure_birth_date"}
        made = actions.merge(
            standing=zhou,
            former=man,
            choices={},
            reason=REASON,
            actor=officer,
            confirmed=[x.code for x in strong(zhou, man)],
        )
    assert made.confirmed == ["birth_date", "gender", "name"]


def test_the_page_shows_what_differs_and_asks_for_each(
    world: World, zhou: Resident, man: Resident, client: Client
) -> None:
    client.force_login(_officer(world, "档案科"))
    address = reverse("identity:compare", args=[zhou.key]) + f"?with={man.key}"
    page = client.get(address).content.decode()
    for told in ("很可能不是同一人", "姓名不同：周桂兰、王建国。", "性别不同：女、男。", 'name="sure_birth_date"'):
        assert told in page
    answer = client.post(address, {"reason": REASON, "sure_name": "on", "sure_gender": "on", **_standing(zhou, man)})
    assert (answer.status_code, "请核实后勾选。" in answer.content.decode()) == (422, True)
    with acting(system_actor(Purpose.IMPORT)):
        assert not Merge.objects.exists()
    ticks = dict.fromkeys(["sure_name", "sure_gender", "sure_birth_date"], "on")
    answer = client.post(address, {"reason": REASON, **ticks, **_standing(zhou, man)})
    assert answer.status_code == 302
    merged = client.get(answer.headers["Location"]).content.decode()
    assert "姓名、性别、出生日期" in merged


def test_two_valid_numbers_are_merged_by_two_persons_alone(
    world: World, zhou: Resident, sister: Resident, client: Client
) -> None:
    client.force_login(_officer(world, "档案科甲"))
    address = reverse("identity:compare", args=[zhou.key]) + f"?with={sister.key}"
    assert "提请第二人复核" in client.get(address).content.decode()
    ticks = {"sure_name": "on", "sure_national_id": "on", "reason": REASON, **_standing(zhou, sister)}
    answer = client.post(address, {**ticks, "name": "former"})
    page = answer.headers["Location"]
    with acting(system_actor(Purpose.IMPORT)):
        assert not Merge.objects.exists()
        proposal = MergeProposal.objects.get()
        assert Task.objects.filter(item_key=proposal.key).count() == 1
    assert page == reverse("identity:proposal", args=[proposal.key])
    assert client.get(address).headers["Location"] == page
    own = client.get(page).content.decode()
    assert ("须由另一位档案管理员复核" in own, "同意并合并" in own) == (True, False)
    refused = client.post(page + "agree/")
    assert (refused.status_code, "不能自己同意" in refused.content.decode()) == (422, True)
    second = Client()
    second.force_login(_officer(world, "档案科乙"))
    assert "周桂英" in second.get(reverse("identity:office")).content.decode()
    assert "同意并合并" in second.get(page).content.decode()
    merged = second.post(page + "agree/")
    assert merged.status_code == 302
    assert "档案科甲" in second.get(merged.headers["Location"]).content.decode()
    with acting(system_actor(Purpose.IMPORT)):
        made = Merge.objects.get()
        assert (made.proposed_by_name, made.merged_by_name) == ("档案科甲", "档案科乙")
        assert MergeProposal.objects.get().merge_id == made.pk
        assert not Task.objects.filter(item_key=proposal.key, closed_at__isnull=True).exists()
        assert Resident.objects.get(pk=zhou.pk).name == "周桂英"
    second.post(merged.headers["Location"] + "undo/", {"reason": "户籍科来函：两人"})
    with acting(system_actor(Purpose.IMPORT)):
        assert Resident.objects.get(pk=zhou.pk).name == "周桂兰"
        assert residents.get_former(key=sister.key).pk == sister.pk


def test_a_proposal_is_declined_with_a_reason_or_taken_back(world: World, zhou: Resident, sister: Resident) -> None:
    first, second = (of_user(_officer(world, name)) for name in ("档案科甲", "档案科乙"))
    asked: dict[str, Any] = {
        "standing": zhou,
        "former": sister,
        "choices": {},
        "confirmed": ["name", "national_id"],
        "reason": REASON,
    }
    with acting(first):
        with pytest.raises(Refused, match="第二人"), transaction.atomic():
            actions.merge(**asked, actor=first)
        proposal = proposing.propose(**asked, actor=first)
        with pytest.raises(Conflict), transaction.atomic():
            proposing.propose(**asked, actor=first)
    with acting(second):
        with pytest.raises(Refused, match="可以撤回"), transaction.atomic():
            proposing.withdraw(proposal=proposal, actor=second)
        with pytest.raises(Refused), transaction.atomic():
            proposing.decline(proposal=proposal, reason=" ", actor=second)
        proposing.decline(proposal=proposal, reason="号码变更证明没有原件", actor=second)
    with acting(first):
        again = proposing.propose(**asked, actor=first)
        proposing.withdraw(proposal=again, actor=first)
        with pytest.raises(Conflict), transaction.atomic():
            proposing.agree(proposal=again, actor=second)


def test_what_changed_since_the_proposal_is_not_agreed_unseen(world: World, zhou: Resident, sister: Resident) -> None:
    first, second = (of_user(_officer(world, name)) for name in ("档案科甲", "档案科乙"))
    with acting(first):
        proposal = proposing.propose(
            standing=zhou, former=sister, choices={}, confirmed=["name", "national_id"], reason=REASON, actor=first
        )
    with acting(system_actor(Purpose.IMPORT)):
        Resident.objects.filter(pk=sister.pk).update(gender="male")
    with acting(second), pytest.raises(Refused) as refused, transaction.atomic():
        proposing.agree(proposal=proposal, actor=second)
    assert set(refused.value.fields) == {"sure_gender"}


def test_a_proposal_is_out_of_sight_of_an_office_elsewhere(world: World, zhou: Resident, sister: Resident) -> None:
    first = of_user(_officer(world, "档案科甲"))
    with acting(first):
        proposal = proposing.propose(
            standing=zhou, former=sister, choices={}, confirmed=["name", "national_id"], reason=REASON, actor=first
        )
    elsewhere = of_user(make_staff(name="外地", organization_id=world.other_township, role="records_officer"))
    with acting(elsewhere):
        assert proposing.waiting_proposals() == []
        with pytest.raises(NotFound):
            proposing.get_proposal(key=proposal.key)


def _standing(one: Resident, other: Resident) -> dict[str, str]:
    """Every choice for the standing record."""
    codes = ("name", "gender", "birth_date", "national_id", "phone", "home", "organization", "record_number")
    return dict.fromkeys(codes, "standing")
