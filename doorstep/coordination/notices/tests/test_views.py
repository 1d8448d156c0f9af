"""The inbox, the bell and the dialog of an urgent push."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from doorstep.coordination.notices import actions, queries
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.models import User
from doorstep.kernel.access.session import acting
from doorstep.people.residents.tests.factories import make_resident, make_staff, make_world
from doorstep.site.accounts import MFA_SEEN
from doorstep.site.actors import of_user

pytestmark = pytest.mark.django_db


def _signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    session = client.session
    session[MFA_SEEN] = True
    session.save()
    return client


def test_bell_inbox_and_live_lead_to_the_thing() -> None:
    world = make_world()
    user = make_staff(name="李长河", organization_id=world.village, role="village_doctor")
    with acting(of_user(user)) as li:
        key = actions.tell(
            kind="critical-value", user_id=li.user_id, acknowledge_link="/contracts/", urgent=True, actor=li
        )
        actions.tell(kind="ecg-reported", organization_id=world.village, actor=li)
    client = _signed_in(user)
    assert "心电报告已签发" in client.get("/notices/bell/", headers={"HX-Request": "true"}).content.decode()
    assert "2 条未读" in client.get("/notices/").content.decode()
    dialog = client.get("/notices/live/", {"id": str(key)}).content.decode()
    assert "有危急值待确认" in dialog
    assert f"/notices/{key}/open/" in dialog
    opened = client.post(f"/notices/{key}/open/")
    assert opened.headers["Location"] == "/contracts/"
    assert client.get("/notices/live/", {"id": str(key)}).content.decode().strip() == ""
    assert client.post("/notices/seen/").status_code == 302
    with acting(of_user(user)) as li:
        assert queries.count_unseen(actor=li) == 0


def test_a_stranger_opens_nobodys_notice() -> None:
    world = make_world()
    user = make_staff(name="李长河", organization_id=world.village, role="village_doctor")
    stranger = make_staff(name="赵远", organization_id=world.other_village, role="village_doctor")
    with acting(of_user(user)) as li:
        key = actions.tell(kind="critical-value", user_id=li.user_id, urgent=True, actor=li)
    client = _signed_in(stranger)
    assert client.post(f"/notices/{key}/open/").status_code == 404
    assert client.get("/notices/live/", {"id": str(key)}).content.decode().strip() == ""
    assert client.get("/notices/?before=yesterday").status_code == 200


def test_a_notice_names_its_resident_to_whom_may_see_them() -> None:
    world = make_world()
    li = make_staff(name="李长河", organization_id=world.village, role="village_doctor")
    zhao = make_staff(name="赵远", organization_id=world.other_village, role="village_doctor")
    with acting(system_actor(Purpose.IMPORT)):
        zhou = make_resident(organization_id=world.village, panel_of=(world.village,))
        for unit in (world.village, world.other_village):
            key = actions.tell(kind="ecg-reported", organization_id=unit, about=zhou.pk, urgent=unit == world.village)
            actions.tell(kind="referral-accepted", organization_id=unit, about=zhou.pk)
    for user, sees in ((li, True), (zhao, False)):
        client = _signed_in(user)
        inbox = client.get("/notices/").content.decode()
        assert inbox.count("周桂兰 女") == (2 if sees else 0)
        assert inbox.count("心电报告已签发") == 1
        assert ("周桂兰" in client.get("/notices/bell/").content.decode()) is sees
        assert ("周桂兰" in client.get("/notices/live/", {"id": str(key)}).content.decode()) is sees
    with CaptureQueriesContext(connection) as few:
        client.get("/notices/bell/")
    with acting(system_actor(Purpose.IMPORT)):
        for _number in range(8):
            actions.tell(kind="ecg-reported", organization_id=world.other_village, about=zhou.pk)
    with CaptureQueriesContext(connection) as many:
        client.get("/notices/bell/")
    assert len(many) == len(few)


def test_anonymous_gets_nothing() -> None:
    assert Client().get("/notices/bell/").status_code in (302, 404)
