"""Links of accounts with records: begun at a desk, ended by a birthday, by a registrar, by the adult, or given up."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.refusals import Conflict, NotFound, Refused
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from doorstep.people.organizations.models import Organization
from doorstep.people.residents import account_links, actions, queries
from doorstep.people.residents.models import Resident, ResidentAccount
from doorstep.people.residents.tests.factories import ZHOU_NUMBER, make_resident, make_staff, make_world
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db
SON_NUMBER = "439981200801010019"


@dataclass(frozen=True, slots=True)
class Family:
    """周桂兰 with an account, her son of `born`, and the village doctor who registers."""

    mother: Resident
    son: Resident
    account: User
    doctor: Actor
    desk: User


def _family(born: date) -> Family:
    world = make_world()
    mother = make_resident(organization_id=world.village, panel_of=(world.village,))
    son = make_resident(
        organization_id=world.village,
        name="刘强",
        number=SON_NUMBER,
        phone="19900005678",
        birth_date=born,
        gender="male",
        panel_of=(world.village,),
    )
    desk = make_staff(name="李长河", organization_id=world.village, role="village_doctor")
    with acting(system_actor(Purpose.IMPORT)):
        account = User.objects.create_user("zhou", password="correct-horse-9", kind=User.Kind.RESIDENT)
        ResidentAccount.objects.create(user=account, resident=mother, since=date(2020, 1, 1))
    return Family(mother, son, account, of_user(desk), desk)


def _born(years: int, days: int = 0) -> date:
    """Who is so many years old today, or `days` before it."""
    today = timezone.localdate()
    return date(today.year - years, today.month, min(today.day, 28)) + timedelta(days=days)


def _acts_for(user: User) -> list[int]:
    return list(of_user(user).resident_ids)


def _stranger_unit() -> int:
    with acting(system_actor(Purpose.IMPORT)):
        return Organization.objects.get(code="V2").pk


def _prove(name: str, number: str, last_four: str, actor: Actor) -> None:
    assert actions.prove_presence(number=number, name=name, phone_last_four=last_four, actor=actor).presence_id


def test_a_child_of_age_is_seen_no_more_from_the_day_itself() -> None:
    family = _family(_born(18))
    with acting(system_actor(Purpose.IMPORT)):
        ResidentAccount.objects.create(user=family.account, resident=family.son, relation="son", since=date(2020, 1, 1))
    with acting(system_actor(Purpose.SIGN_IN)):
        assert _acts_for(family.account) == [family.mother.pk]
        assert [one.resident_id for one in queries.family_of(user_id=family.account.pk)] == [family.mother.pk]
        Resident.objects.filter(pk=family.son.pk).update(birth_date=_born(18, days=1))
        assert _acts_for(family.account) == [family.mother.pk, family.son.pk]
    with acting(system_actor(Purpose.CLOCKS)) as clock:
        assert account_links.end_at_majority(actor=clock) == 0
        Resident.objects.filter(pk=family.son.pk).update(birth_date=_born(18))
        assert account_links.end_at_majority(actor=clock) == 1
        assert account_links.end_at_majority(actor=clock) == 0
        ended = ResidentAccount.objects.get(resident=family.son)
        assert (ended.end_reason, ended.ended_by_name) == ("已满 18 周岁", "系统")
        assert AuditEntry.objects.filter(action="resident.AccountLinkEnded", resident_id=family.son.pk).count() == 1


def test_a_parent_who_is_acted_for_was_of_age_all_along() -> None:
    family = _family(_born(40))
    with acting(system_actor(Purpose.IMPORT)):
        ResidentAccount.objects.create(user=family.account, resident=family.son, relation="son", since=date(2024, 1, 1))
    with acting(system_actor(Purpose.CLOCKS)) as clock:
        assert account_links.end_at_majority(actor=clock) == 0
        assert _acts_for(family.account) == [family.mother.pk, family.son.pk]


def test_a_guardian_is_linked_at_the_desk_with_presence_and_papers() -> None:
    family = _family(_born(9))
    asked: dict[str, Any] = {"resident": family.son, "username": "zhou", "relation": "son", "actor": family.doctor}
    with acting(family.doctor):
        with pytest.raises(Refused) as refused:
            account_links.link(**asked, papers=False)
        assert set(refused.value.fields) == {"username", "papers"}
        _prove("周桂兰", ZHOU_NUMBER, "1234", family.doctor)
        account_links.link(**asked, papers=True)
        with pytest.raises(Conflict):
            account_links.link(**asked, papers=True)
        with pytest.raises(Refused) as refused:
            account_links.link(**{**asked, "username": "nobody", "relation": "self"}, papers=True)
        assert set(refused.value.fields) == {"username", "relation"}
    with acting(system_actor(Purpose.SIGN_IN)):
        assert _acts_for(family.account) == [family.mother.pk, family.son.pk]


def test_a_guardian_acts_for_an_adult_who_cannot_agree_by_a_named_document(client: Client) -> None:
    family = _family(_born(40))
    asked: dict[str, Any] = {"resident": family.son, "username": "zhou", "relation": "son", "actor": family.doctor}
    paper = "民事判决书（2026）民特12号"
    with acting(system_actor(Purpose.IMPORT)):
        own = User.objects.create_user("liuqiang", password="correct-horse-9", kind=User.Kind.RESIDENT)
        ResidentAccount.objects.create(user=own, resident=family.son, since=date(2020, 1, 1))
    with acting(family.doctor):
        for unnamed in ("判决书", "12"):
            with pytest.raises(Refused) as refused:
                account_links.link(**asked, papers=True, paper=unnamed)
            assert set(refused.value.fields) == {"username", "paper"}
        with pytest.raises(Refused) as refused:
            account_links.link(**{**asked, "username": "liuqiang"}, papers=True, paper=paper)
        assert "本人的账号" in str(refused.value.fields["username"])
        # The guardian stands here, not the son.
        _prove("周桂兰", ZHOU_NUMBER, "1234", family.doctor)
        account_links.link(**asked, papers=True, paper=paper)
    with acting(system_actor(Purpose.SIGN_IN)):
        assert _acts_for(family.account) == [family.mother.pk, family.son.pk]
        held = ResidentAccount.objects.get(user=family.account, resident=family.son)
    ward = of_user(own)
    with acting(ward), pytest.raises(NotFound):
        account_links.end(link_id=held.pk, resident=family.son, reason="", actor=ward)
    client.force_login(family.desk)
    page = client.get(f"/residents/{family.son.key}/accounts/").content.decode()
    assert paper in page
    with acting(family.doctor):
        account_links.end(link_id=held.pk, resident=family.son, reason="判决撤销", actor=family.doctor)
    with acting(system_actor(Purpose.SIGN_IN)):
        assert _acts_for(family.account) == [family.mother.pk]


def test_a_grown_up_lets_the_parent_in_again_in_person_and_ends_it_alone(client: Client) -> None:
    family = _family(_born(18))
    with acting(system_actor(Purpose.IMPORT)):
        ResidentAccount.objects.create(user=family.account, resident=family.son, relation="son", since=date(2020, 1, 1))
    asked: dict[str, Any] = {
        "resident": family.son,
        "username": "zhou",
        "relation": "son",
        "papers": True,
        "actor": family.doctor,
    }
    with acting(family.doctor):
        # The mother's presence is not the son's word.
        _prove("周桂兰", ZHOU_NUMBER, "1234", family.doctor)
        with pytest.raises(Refused) as refused:
            account_links.link(**asked)
        assert set(refused.value.fields) == {"relation"}
        with pytest.raises(Refused):
            account_links.open_account(resident=family.son, username="liuqiang", actor=family.doctor)
        _prove("刘强", SON_NUMBER, "5678", family.doctor)
        password = account_links.open_account(resident=family.son, username="liuqiang", actor=family.doctor)
        with pytest.raises(Conflict):
            account_links.open_account(resident=family.son, username="liuqiang2", actor=family.doctor)
        account_links.link(**asked)
    with acting(system_actor(Purpose.SIGN_IN)):
        own = User.objects.get(username="liuqiang")
        assert own.check_password(password)
        assert own.password_temporary_until is not None
        assert _acts_for(own) == [family.son.pk]
        assert _acts_for(family.account) == [family.mother.pk, family.son.pk]
        again = ResidentAccount.objects.get(user=family.account, resident=family.son, ended_at__isnull=True)
        User.objects.filter(pk=own.pk).update(password_temporary_until=None)
    client.force_login(own)
    page = client.get("/me/looks/").content.decode()
    assert f"/me/links/{again.pk}/end/" in page
    assert client.post(f"/me/links/{again.pk}/end/").status_code == 302
    with acting(system_actor(Purpose.SIGN_IN)):
        assert _acts_for(family.account) == [family.mother.pk]
        again.refresh_from_db()
        assert again.end_reason == "居民本人结束"
        mine = ResidentAccount.objects.get(user=own)
    # The own link is no one's to end but the registrar's, and what has ended ends once.
    assert client.post(f"/me/links/{mine.pk}/end/").status_code == 404
    assert client.post(f"/me/links/{again.pk}/end/").status_code == 404


def test_a_registrar_ends_a_link_with_a_reason_and_a_stranger_does_not(client: Client) -> None:
    family = _family(_born(9))
    with acting(system_actor(Purpose.IMPORT)):
        link = ResidentAccount.objects.create(
            user=family.account, resident=family.son, relation="son", since=date(2024, 1, 1)
        )
    address = f"/residents/{family.son.key}/accounts/"
    client.force_login(family.desk)
    assert "zhou" in client.get(address).content.decode()
    assert client.post(f"{address}{link.pk}/end/", {"reason": ""}).status_code == 422
    with acting(system_actor(Purpose.SIGN_IN)):
        assert family.son.pk in _acts_for(family.account)
    assert client.post(f"{address}{link.pk}/end/", {"reason": "监护人变更"}).status_code == 302
    assert "监护人变更" in client.get(address).content.decode()
    with acting(system_actor(Purpose.SIGN_IN)):
        assert _acts_for(family.account) == [family.mother.pk]
    stranger = of_user(make_staff(name="赵远", organization_id=_stranger_unit(), role="village_doctor"))
    with acting(stranger), pytest.raises(NotFound):
        account_links.end(link_id=link.pk, resident=family.son, reason="误操作", actor=stranger)


def test_who_acts_gives_it_up_and_a_session_turns_back_to_the_own_record(client: Client) -> None:
    family = _family(_born(9))
    with acting(system_actor(Purpose.IMPORT)):
        link = ResidentAccount.objects.create(
            user=family.account, resident=family.son, relation="son", since=date(2024, 1, 1)
        )
    client.force_login(family.account)
    client.post(f"/me/family/{family.son.key}/")
    assert "刘强" in client.get("/me/").content.decode()
    assert client.post(f"/me/links/{link.pk}/end/").status_code == 302
    assert "刘强" not in client.get("/me/").content.decode()
    assert client.post(f"/me/family/{family.son.key}/").status_code == 404


def test_the_page_opens_an_account_and_shows_the_password_once(client: Client) -> None:
    family = _family(_born(30))
    address = f"/residents/{family.son.key}/accounts/"
    client.force_login(family.desk)
    assert client.post(f"{address}open/", {"username": "刘强"}).status_code == 422
    assert client.post(f"{address}link/", {"username": "zhou"}).status_code == 422
    with acting(family.doctor):
        _prove("刘强", SON_NUMBER, "5678", family.doctor)
    taken = client.post(f"{address}open/", {"username": "zhou"})
    assert (taken.status_code, "已被使用" in taken.content.decode()) == (422, True)
    opened = client.post(f"{address}open/", {"username": "liuqiang"})
    assert (opened.status_code, "临时密码" in opened.content.decode()) == (200, True)
    assert opened["Cache-Control"] == "no-store"
    assert "临时密码" not in client.get(address).content.decode()
