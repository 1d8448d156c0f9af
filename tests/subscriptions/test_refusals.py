"""Subscriptions that this server does not follow, and addresses that it does not call."""

import socket
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from doorstep.kernel.access.models import ApiClient
from doorstep.kernel.access.session import acting
from doorstep.kernel.subscriptions import endpoints
from doorstep.kernel.subscriptions.endpoints import Unreachable
from doorstep.kernel.subscriptions.models import Subscriber
from tests.fhir.house import House, make_house
from tests.subscriptions.receiver import SYSTEM, allow, by_criteria, by_topic

pytestmark = pytest.mark.django_db
HOOK = "http://127.0.0.1:9/hook"


@pytest.fixture
def house(client: Client) -> House:
    house = make_house(client)
    allow("his")
    return house


def _refused(house: House, resource: dict[str, Any]) -> tuple[int, str]:
    answer = house.own.ask("POST", "Subscription", resource)
    return answer.status_code, answer.json()["issue"][0]["expression"][0]


@pytest.mark.parametrize(
    ("criteria", "changes", "place"),
    [
        ("Observation?colour=red", {}, "Subscription.criteria"),
        ("Observation?code=1&_sort=date", {}, "Subscription.criteria"),
        ("Nonsense?code=1", {}, "Subscription.criteria"),
        ("AuditEvent", {}, "Subscription.criteria"),
        ("https://fhir.doorstep.example/SubscriptionTopic/weather", {}, "Subscription.criteria"),
        ("Observation", {"channel": {"type": "email"}}, "Subscription.channel.type"),
        ("Observation", {"channel": {"payload": "application/fhir+xml"}}, "Subscription.channel.payload"),
        ("Observation", {"channel": {"header": ["Host: elsewhere"]}}, "Subscription.channel.header[0]"),
        ("Observation", {"channel": {"header": ["A: b", "no header"]}}, "Subscription.channel.header[1]"),
        ("Observation", {"channel": {"endpoint": "http://his.example.cn/x"}}, "Subscription.channel.endpoint"),
        ("Observation", {"channel": {"endpoint": "https://his.example.cn/x"}}, "Subscription.channel.endpoint"),
        ("Observation", {"channel": {"endpoint": "https://a:b@127.0.0.1/x"}}, "Subscription.channel.endpoint"),
        ("Observation", {"channel": {"endpoint": "file:///etc/passwd"}}, "Subscription.channel.endpoint"),
        ("Observation", {"status": "active"}, "Subscription.status"),
        ("Observation", {"end": "2020-01-01T00:00:00Z"}, "Subscription.end"),
        ("Observation", {"end": "2099-12-31T23:59:60Z"}, "Subscription.end"),
    ],
)
def test_a_subscription_that_cannot_be_followed_says_where(
    house: House, criteria: str, changes: dict[str, Any], place: str
) -> None:
    assert _refused(house, by_criteria(HOOK, criteria, **changes)) == (422, place)


def test_a_topic_takes_its_own_filters_and_a_content(house: House) -> None:
    wrong = by_topic(HOOK, "report-signed", "empty", "Observation?code=1")
    assert _refused(house, wrong) == (422, "Subscription.criteria.extension[0]")
    wrong = by_topic(HOOK, "report-signed", "empty", "DiagnosticReport?based-on=ServiceRequest/1")
    assert _refused(house, wrong) == (422, "Subscription.criteria.extension[0]")
    assert _refused(house, by_topic(HOOK, "report-signed", "all")) == (422, "Subscription.channel.payload")
    wrong = by_topic(HOOK, "report-signed", "empty", heartbeat_period=1)
    assert _refused(house, wrong) == (422, "Subscription.channel.extension")


def test_a_system_without_rules_or_scope_does_not_subscribe(house: House) -> None:
    assert house.foreign.ask("POST", "Subscription", by_criteria(HOOK, "Observation")).status_code == 403
    with acting(SYSTEM):
        ApiClient.objects.filter(name="his").update(scopes="system/Subscription.cruds system/Patient.rs")
    assert _refused(house, by_criteria(HOOK, "Observation")) == (403, "Subscription.criteria")
    assert house.own.ask("POST", "Subscription", by_criteria(HOOK, "Patient")).status_code == 201
    assert (
        house.own.ask("PUT", "Subscription/his-1", {**by_criteria(HOOK, "Patient"), "id": "his-1"}).status_code == 405
    )


def test_subscriptions_of_a_system_have_a_number(house: House) -> None:
    with acting(SYSTEM):
        Subscriber.objects.update(most_subscriptions=1)
    assert house.own.ask("POST", "Subscription", by_criteria(HOOK, "Observation")).status_code == 201
    assert _refused(house, by_criteria(HOOK, "Patient")) == (422, "Subscription")


def test_another_system_changes_nothing(house: House) -> None:
    allow("foreign")
    made = house.own.ask("POST", "Subscription", by_criteria(HOOK, "Observation")).json()
    assert house.foreign.ask("PUT", f"Subscription/{made['id']}", made).status_code in (404, 405)
    assert house.foreign.ask("DELETE", f"Subscription/{made['id']}").status_code == 404
    assert house.own.ask("GET", f"Subscription/{made['id']}").json()["status"] == "active"


@pytest.mark.parametrize(
    ("url", "hosts", "fits"),
    [
        ("https://his.example.cn/hook", ["his.example.cn"], True),
        ("https://HIS.example.cn/hook", ["his.example.cn"], True),
        ("https://his.example.cn:8443/hook", ["his.example.cn"], False),
        ("https://his.example.cn:8443/hook", ["his.example.cn:8443"], True),
        ("https://his.example.cn/hook", ["his.example.cn:8443"], False),
        ("https://evil.his.example.cn/", ["his.example.cn"], False),
        ("https://his.example.cn.evil.cn/", ["his.example.cn"], False),
        ("https://evil.cn#@his.example.cn/", ["his.example.cn"], False),
        ("https://his.example.cn@evil.cn/", ["his.example.cn"], False),
        ("https://his.example.cn\\@evil.cn/", ["his.example.cn"], False),
        ("http://his.example.cn/hook", ["his.example.cn", "his.example.cn:80"], False),
        ("ftp://his.example.cn/hook", ["his.example.cn"], False),
        ("https://his.example.cn/a b", ["his.example.cn"], False),
        ("https:///hook", ["his.example.cn"], False),
        ("http://127.0.0.1:8080/hook", ["127.0.0.1"], False),
        ("https://127.0.0.1/hook", [], False),
    ],
)
def test_checked_calls_only_allowed_hosts_over_https(
    settings: Settings, url: str, hosts: list[str], fits: bool
) -> None:
    settings.DEMO = False
    if fits:
        assert endpoints.checked(url, hosts).secure
    else:
        with pytest.raises(Unreachable):
            endpoints.checked(url, hosts)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "::1", "169.254.169.254", "fe80::1", "224.0.0.1", "::", "::ffff:127.0.0.1"),
        *("100.100.100.200", "fd00:ec2::254"),
    ],
)
def test_resolved_never_leads_back_into_this_machine(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    settings.DEMO = False
    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 443)) for one in ("10.1.2.3", address)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_given, **_more: answers)
    endpoint = endpoints.checked("https://his.example.cn/hook", ["his.example.cn"])
    with pytest.raises(Unreachable):
        endpoints.resolved(endpoint)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_given, **_more: answers[:1])
    assert endpoints.resolved(endpoint) == "10.1.2.3"


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("10.1.2.3", False),
        ("192.168.7.8", False),
        ("100.64.0.9", False),
        ("fc00::1", False),
        ("::ffff:10.1.2.3", False),
        ("1.1.1.1", True),
    ],
)
def test_resolved_stays_out_of_internal_networks_where_only_public_ones_may_be_called(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, address: str, public: bool
) -> None:
    settings.DEMO = False
    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_given, **_more: answers)
    endpoint = replace(endpoints.checked("https://his.example.cn/keys", ["his.example.cn"]), public=True)
    if public:
        assert endpoints.resolved(endpoint) == address
    else:
        with pytest.raises(Unreachable, match="内部网络"):
            endpoints.resolved(endpoint)


@pytest.mark.parametrize("line", ["A: b\r\nC: d", "A:", "Host: x", "content-length: 5", "ä: b", "A b: c", "A: ü"])
def test_header_refuses_what_would_change_the_message(line: str) -> None:
    assert endpoints.header(line) is None
    assert endpoints.header("X-Key: value 1") == ("X-Key", "value 1")
