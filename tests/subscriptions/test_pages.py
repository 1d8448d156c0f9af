"""The engineer's pages of subscriptions: state, dead letters, resuming, and what a system may call."""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse

from doorstep.kernel.access.models import ApiClient
from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.subscriptions.models import Notification, Subscriber
from doorstep.people.residents.tests.factories import ZHOU_NUMBER, make_staff
from tests.fhir.house import House, make_house
from tests.subscriptions.receiver import (
    SYSTEM,
    Receiver,
    allow,
    by_criteria,
    listening,
    run,
    states,
    the_only,
    wait_no_longer,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(client: Client) -> House:
    house = make_house(client)
    allow("his", attempts=2)
    return house


@pytest.fixture
def engineer(house: House) -> Client:
    page = Client()
    page.force_login(make_staff(name="高工", organization_id=house.world.lead, role="engineer"))
    return page


@pytest.fixture
def stopped(house: House) -> Iterator[Receiver]:
    """A subscription with a dead letter and one that waits."""
    with listening() as receiver:
        resource = by_criteria(receiver.url, "Observation", channel={"header": ["Authorization: Bearer geheim"]})
        assert house.own.ask("POST", "Subscription", resource).status_code == 201
        for _ in range(2):
            house.own.ask("POST", "Observation", house.observation())
        receiver.status = 500
        for _ in range(2):
            run()
            wait_no_longer()
        receiver.status = 200
        receiver.heard.clear()
        yield receiver


def _dead() -> Notification:
    with acting(SYSTEM):
        return Notification.objects.get(state="dead")


def test_pages_show_state_backlog_and_no_secret(engineer: Client, stopped: Receiver) -> None:
    listed = engineer.get(reverse("exchange:subscriptions")).content.decode()
    assert "出错停发" in listed
    assert "接收方应答 500" in listed
    one = engineer.get(reverse("exchange:subscription", args=[the_only().key])).content.decode()
    assert "未送达的通知" in one
    assert "geheim" not in listed + one


def test_pages_show_no_number_of_a_person(engineer: Client, house: House) -> None:
    """A client may subscribe to one person's record by the id card; its engineer sees that, not whom."""
    criteria = f"Patient?identifier=urn:oid:2.16.156.10011.1.3|{ZHOU_NUMBER}"
    house.own.ask("POST", "Subscription", by_criteria("http://127.0.0.1:9/hook", criteria))
    one = engineer.get(reverse("exchange:subscription", args=[the_only().key])).content.decode()
    listed = engineer.get(reverse("exchange:subscriptions")).content.decode()
    assert ZHOU_NUMBER not in one + listed
    assert "urn:oid:2.16.156.10011.1.3|••••" in one


def test_resume_sends_what_waits_and_keeps_the_dead_letter(engineer: Client, stopped: Receiver) -> None:
    key = the_only().key
    assert engineer.post(reverse("exchange:resume-subscription", args=[key])).status_code == 302
    run()
    assert [one.number for one in stopped.heard] == [2]
    assert states() == [(1, "dead"), (2, "delivered")]
    assert engineer.post(reverse("exchange:resume-subscription", args=[key])).status_code == 409


def test_send_again_goes_first_and_resumes(engineer: Client, stopped: Receiver) -> None:
    letter = _dead()
    assert engineer.post(reverse("exchange:send-again", args=[letter.key])).status_code == 302
    run()
    assert [one.number for one in stopped.heard] == [1, 2]
    assert states() == [(1, "delivered"), (2, "delivered")]
    assert engineer.post(reverse("exchange:send-again", args=[letter.key])).status_code == 409


def test_drop_needs_a_reason_and_is_kept(engineer: Client, stopped: Receiver) -> None:
    letter = _dead()
    address = reverse("exchange:drop-notification", args=[letter.key])
    assert engineer.post(address, {"reason": ""}).status_code == 422
    assert engineer.post(address, {"reason": "已自行补取"}).status_code == 302
    with acting(SYSTEM):
        dropped = Notification.objects.get(pk=letter.pk)
        assert (dropped.state, dropped.reason) == ("dropped", "已自行补取")
        assert AuditEntry.objects.filter(action="subscription.drop").exists()


def test_another_units_engineer_finds_nothing(house: House, stopped: Receiver) -> None:
    page = Client()
    page.force_login(make_staff(name="外工", organization_id=house.world.other_township, role="engineer"))
    assert "Observation" not in page.get(reverse("exchange:subscriptions")).content.decode()
    for name in ("subscription", "resume-subscription"):
        ask = page.get if name == "subscription" else page.post
        assert ask(reverse(f"exchange:{name}", args=[the_only().key])).status_code == 404
    assert page.post(reverse("exchange:send-again", args=[_dead().key])).status_code == 404
    assert page.get(reverse("exchange:system", args=["his"])).status_code == 404


def test_system_sets_hosts_rules_and_the_right_to_register(engineer: Client, house: House) -> None:
    assert "his" in engineer.get(reverse("exchange:systems")).content.decode()
    address = reverse("exchange:system", args=["his"])
    facts = {"hosts": "HIS.example.cn\nhttps://x", "attempts": 4, "first_wait": 9, "longest_wait": 60, "timeout": 5}
    refused = engineer.post(address, facts)
    assert (refused.status_code, "https://x" in refused.content.decode()) == (422, True)
    assert engineer.post(address, {**facts, "hosts": "x.cn", "longest_wait": 3}).status_code == 422
    good = {**facts, "hosts": "HIS.example.cn\nhis.example.cn:8443", "registers": "on"}
    assert engineer.post(address, good).status_code == 302
    with acting(SYSTEM):
        rule = Subscriber.objects.get(client__name="his")
        assert (rule.hosts, rule.attempts) == (["his.example.cn", "his.example.cn:8443"], 4)
        assert ApiClient.objects.get(name="his").registers
