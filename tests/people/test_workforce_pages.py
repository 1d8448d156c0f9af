"""The pages that manage people, and the first login of a new colleague."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.session import acting
from doorstep.people.residents.tests.factories import World, make_staff, make_world
from doorstep.people.workforce.models import Post, Practitioner

pytestmark = pytest.mark.django_db

FORM = {
    "name": "新同事",
    "gender": "female",
    "national_id": "439981196309150027",
    "username": "newnurse",
    "role": "nurse",
    "starts_on": "2026-01-05",
    "title": "护士",
}


def _manager(client: Client) -> World:
    world = make_world()
    client.force_login(make_staff(name="何经理", organization_id=world.township, role="manager"))
    return world


def _hire(client: Client) -> Practitioner:
    answer = client.post("/staff/new/", FORM)
    assert answer.status_code in (302, 303), answer.content.decode()[:3000]
    return Practitioner.objects.get(name="新同事")


def test_hire_shows_the_password_once_and_the_login_asks_for_another(client: Client) -> None:
    _manager(client)
    person = _hire(client)
    page = client.get(f"/staff/{person.key}/").content.decode()
    found = re.search(r"newnurse / ([\w-]{17})", page)
    assert found is not None
    password = found.group(1)
    assert password not in client.get(f"/staff/{person.key}/").content.decode()
    other = Client()
    other.post("/accounts/login/", {"login": "newnurse", "password": password})
    assert other.get("/").headers["Location"] == "/accounts/password/change/"
    change = {"oldpassword": password, "password1": password, "password2": password}
    assert "临时密码相同" in other.post("/accounts/password/change/", change).content.decode()
    own = "gui-hua-kai-le-2026"
    done = other.post("/accounts/password/change/", {"oldpassword": password, "password1": own, "password2": own})
    assert done.status_code == 302, done.content.decode()[-3000:]
    assert User.objects.get(username="newnurse").password_temporary_until is None
    assert other.get("/").status_code == 200


def test_temporary_password_that_ran_out_opens_nothing(client: Client) -> None:
    _manager(client)
    person = _hire(client)
    User.objects.filter(pk=person.user_id or 0).update(password_temporary_until=timezone.now() - timedelta(minutes=1))
    other = Client()
    other.force_login(User.objects.get(pk=person.user_id or 0))
    assert other.get("/").headers["Location"] == "/accounts/login/"
    assert other.get("/").headers["Location"] == "/accounts/login/"


def test_hire_forged_role_and_unit_are_refused(client: Client) -> None:
    world = _manager(client)
    assert client.post("/staff/new/", {**FORM, "role": "auditor"}).status_code == 422
    assert client.post("/staff/new/", {**FORM, "role": "manager"}).status_code == 422
    with acting(system_actor(Purpose.IMPORT)):
        foreign = Practitioner.objects.get(
            user=make_staff(name="外单位", organization_id=world.other_township, role="nurse")
        )
        post = Post.objects.get(practitioner=foreign)
    for path in (f"/staff/{foreign.key}/edit/", f"/staff/{foreign.key}/posts/", f"/staff/posts/{post.key}/end/"):
        assert client.get(path).status_code == 404, path
    assert client.post(f"/staff/{foreign.key}/account/", {"verb": "password"}).status_code == 404
    assert client.get(f"/staff/new/?unit={post.organization.key}").status_code == 404
    assert not Practitioner.objects.filter(name="新同事").exists()


def test_account_and_post_acts_through_the_pages(client: Client) -> None:
    _manager(client)
    person = _hire(client)
    address = f"/staff/{person.key}/account/"
    assert client.post(address, {"verb": "lock", "reason": ""}).status_code == 422
    assert client.post(address, {"verb": "lock", "reason": "账号异常"}).status_code in (302, 303)
    assert "已锁定" in client.get(f"/staff/{person.key}/").content.decode()
    assert client.post(address, {"verb": "unlock"}).status_code in (302, 303)
    assert client.post(address, {"verb": "factors"}).status_code in (302, 303)
    assert client.post(address, {"verb": "dance"}).status_code == 404
    post = Post.objects.get(practitioner=person)
    ended = client.post(f"/staff/posts/{post.key}/end/", {"last_day": "2026-01-04", "reason": "调离"})
    assert ended.status_code == 422
    assert client.post(f"/staff/posts/{post.key}/end/", {"last_day": "2026-02-01", "reason": "调离"}).status_code == 302
    assert "2026-02-01" in client.get(f"/staff/{person.key}/").content.decode()
    assert client.post(f"/staff/{person.key}/edit/", {"title": "护师", "phone": "1"}).status_code == 422
    assert client.post(f"/staff/{person.key}/edit/", {"title": "护师"}).status_code == 302
    assert client.post(f"/staff/{person.key}/posts/", {"role": "nurse", "starts_on": "2026-03-01"}).status_code == 302
