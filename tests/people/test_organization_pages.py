"""The pages that manage organisations, walked as a manager does."""

import pytest
from django.test import Client

from doorstep.people.organizations.models import Department, Organization
from doorstep.people.residents.tests.factories import World, make_staff, make_world

pytestmark = pytest.mark.django_db

FORM = {"name": "青山村卫生室", "kind": "village-clinic", "code": "V9", "opened_on": "2026-01-01"}


def _manager(client: Client, role: str = "manager") -> World:
    world = make_world()
    client.force_login(make_staff(name="何经理", organization_id=world.lead, role=role))
    return world


def test_unit_is_entered_changed_and_closed(client: Client) -> None:
    world = _manager(client)
    assert "新增单位" in client.get("/organizations/").content.decode()
    answer = client.post("/organizations/new/", {**FORM, "parent": world.township})
    unit = Organization.objects.get(code="V9")
    assert answer.headers["Location"] == f"/organizations/{unit.key}/"
    wrong = client.post(
        f"/organizations/{unit.key}/edit/", {**FORM, "parent": world.township, "latitude": "113", "longitude": "23"}
    )
    assert wrong.status_code == 422
    assert "填反" in wrong.content.decode()
    moved = client.post(
        f"/organizations/{unit.key}/edit/", {**FORM, "parent": world.other_township, "reason": "区划调整"}
    )
    assert moved.status_code == 302
    page = client.get(f"/organizations/{unit.key}/").content.decode()
    assert "清溪镇卫生院 → 北岭镇卫生院" in page
    assert client.post(f"/organizations/{unit.key}/departments/", {"name": "全科", "code": "01"}).status_code == 302
    department = Department.objects.get(organization=unit)
    address = f"/organizations/{unit.key}/departments/{department.key}/close/"
    assert client.post(address).status_code == 302
    assert client.post(address).status_code == 409
    closed = client.post(f"/organizations/{unit.key}/close/", {"closed_on": "2026-06-01", "reason": "撤销"})
    assert closed.status_code == 302
    assert "停办" in client.get(f"/organizations/{unit.key}/").content.decode()


def test_membership_begins_and_ends(client: Client) -> None:
    world = _manager(client)
    unit = Organization.objects.get(id=world.township)
    membership = unit.memberships.get()
    leave = f"/organizations/{unit.key}/memberships/{membership.pk}/end/"
    assert client.post(leave, {"last_day": "2023-01-01", "reason": "退出"}).status_code == 422
    assert client.post(leave, {"last_day": "2026-03-31", "reason": "退出"}).status_code == 302
    join = {"consortium": world.consortium_id, "part": "member", "starts_on": "2026-03-01"}
    assert client.post(f"/organizations/{unit.key}/memberships/", join).status_code == 422
    again = client.post(f"/organizations/{unit.key}/memberships/", {**join, "starts_on": "2026-04-01"})
    assert again.status_code == 302
    lead = client.post(f"/organizations/{unit.key}/memberships/", {**join, "part": "lead"})
    assert lead.status_code == 422
    page = client.get(f"/organizations/{unit.key}/").content.decode()
    assert "2026-03-31" in page


def test_doctor_sees_and_changes_nothing(client: Client) -> None:
    world = _manager(client, role="specialist")
    unit = Organization.objects.get(id=world.lead)
    page = client.get(f"/organizations/{unit.key}/").content.decode()
    assert "何经理" in page
    assert "修改" not in page.split("<main")[-1].split("变更记录")[0].replace("修改密码", "")
    assert client.get(f"/organizations/{unit.key}/edit/").status_code == 403
