"""What a hospital system is told: what matches, what it may see, in order, once it has heard."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from doorstep.kernel.access.session import acting
from doorstep.kernel.audit.models import AuditEntry
from doorstep.kernel.fhir.validation import problems
from doorstep.kernel.record.models import Resource, Watch
from doorstep.kernel.subscriptions.delivering import wait_after
from doorstep.kernel.subscriptions.models import Subscription
from doorstep.people.residents.tests.factories import make_resident
from tests.fhir.house import House, System, make_house, token_of
from tests.subscriptions.receiver import (
    SYSTEM,
    Receiver,
    allow,
    by_criteria,
    by_topic,
    listening,
    run,
    states,
    the_only,
    wait_no_longer,
)

pytestmark = pytest.mark.django_db
_TERMS = "http://terminology.hl7.org/CodeSystem"


@pytest.fixture
def house(client: Client) -> House:
    house = make_house(client)
    allow("his", attempts=3, first_wait=7)
    allow("foreign")
    return house


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as found:
        yield found


def _subscribe(house: House, resource: dict[str, Any]) -> str:
    answer = house.own.ask("POST", "Subscription", resource)
    assert answer.status_code == 201, answer.content
    return f"Subscription/{answer.json()['id']}"


def _observed(house: House, **changes: Any) -> str:
    return str(house.own.ask("POST", "Observation", house.observation(**changes)).json()["id"])


def test_criteria_that_match_send_an_empty_post(house: House, receiver: Receiver) -> None:
    path = _subscribe(house, by_criteria(receiver.url, f"Observation?code=8867-4&subject={house.patient}"))
    assert house.own.ask("GET", path).json()["status"] == "active"
    _observed(house)
    _observed(house, code={"text": "体温"})
    run()
    assert [(one.method, one.path, one.body, one.number) for one in receiver.heard] == [("POST", "/hook", b"", 1)]
    assert states() == [(1, "delivered")]
    run()
    assert len(receiver.heard) == 1


def test_a_payload_is_put_below_the_endpoint_in_the_version_that_matched(house: House, receiver: Receiver) -> None:
    _subscribe(house, by_criteria(receiver.url, "Observation?value-quantity=gt70", payload=True))
    key = _observed(house)
    changed = {**house.observation(valueQuantity={"value": 99, "unit": "/min"}), "id": key}
    assert house.own.ask("PUT", f"Observation/{key}", changed).status_code == 200
    low = {**house.observation(valueQuantity={"value": 60, "unit": "/min"}), "id": key}
    assert house.own.ask("PUT", f"Observation/{key}", low).status_code == 200
    assert house.own.ask("DELETE", f"Observation/{key}").status_code == 204
    run()
    assert [(one.method, one.path, one.number) for one in receiver.heard] == [
        ("PUT", f"/hook/Observation/{key}", 1),
        ("PUT", f"/hook/Observation/{key}", 2),
    ]
    assert [one.json()["valueQuantity"]["value"] for one in receiver.heard] == [72, 99]
    assert [one.json()["meta"]["versionId"] for one in receiver.heard] == ["1", "2"]
    with acting(SYSTEM):
        assert AuditEntry.objects.filter(action="fhir.notify", resident_id=house.resident.pk).count() == 2


def test_a_resource_out_of_the_clients_sight_is_never_told(house: House, receiver: Receiver) -> None:
    for system in (house.own, house.foreign):
        answer = system.ask("POST", "Subscription", by_criteria(receiver.url, "Observation", payload=True))
        assert answer.status_code == 201
    key = _observed(house)
    run()
    assert [one.path for one in receiver.heard] == [f"/hook/Observation/{key}"]
    with acting(SYSTEM):
        numbers = dict(Subscription.objects.values_list("client__name", "last_number"))
    assert numbers == {"his": 1, "foreign": 0}


def test_the_far_end_of_a_chain_is_seen_with_the_clients_eyes(house: House, receiver: Receiver, client: Client) -> None:
    """What the writer sees at the end of a chain, and the subscriber does not, tells the subscriber nothing."""
    village = System(client, token_of(house.world.village, "village"))
    _subscribe(house, by_criteria(receiver.url, "Observation?encounter:Encounter.status=finished", payload=True))
    restricted = {"security": [{"system": f"{_TERMS}/v3-Confidentiality", "code": "R"}]}
    told = []
    for meta in (restricted, {}):
        visit = {
            "resourceType": "Encounter",
            "meta": meta,
            "status": "finished",
            "class": {"system": f"{_TERMS}/v3-ActCode", "code": "AMB"},
            "subject": {"reference": house.patient},
        }
        visit = {name: value for name, value in visit.items() if value}
        made = village.ask("POST", "Encounter", visit).json()["id"]
        about = house.observation(encounter={"reference": f"Encounter/{made}"})
        told.append(village.ask("POST", "Observation", about).json()["id"])
    _observed(house)
    run()
    assert [one.path.rpartition("/")[2] for one in receiver.heard] == told[1:]


def test_what_nobody_waits_for_costs_no_statement(house: House, receiver: Receiver) -> None:
    path = _subscribe(house, by_criteria(receiver.url, "Condition"))
    with acting(SYSTEM):
        assert list(Watch.objects.values_list("type", flat=True)) == ["Condition"]
    with CaptureQueriesContext(
        connection,
    ) as found:
        _observed(house)
    assert not any("subscriptions_note" in one["sql"] for one in found.captured_queries)
    assert house.own.ask("DELETE", path).json()["status"] == "off"
    with acting(SYSTEM):
        assert not Watch.objects.exists()


def test_failures_wait_longer_each_time_then_stop_and_nothing_is_lost(house: House, receiver: Receiver) -> None:
    path = _subscribe(house, by_criteria(receiver.url, "Observation", payload=True))
    keys = [_observed(house) for _ in range(2)]
    receiver.status = 503
    waits = []
    for _ in range(3):
        run()
        run()  # too early: nothing is sent
        subscription = the_only()
        if subscription.next_try_at:
            waits.append(round((subscription.next_try_at - timezone.now()).total_seconds()))
        wait_no_longer()
    assert waits == [7, 14]
    assert len(receiver.heard) == 3
    shown = house.own.ask("GET", path).json()
    assert (shown["status"], "503" in shown["error"]) == ("error", True)
    assert states() == [(1, "dead"), (2, "waiting")]
    keys.append(_observed(house))
    run()
    assert states() == [(1, "dead"), (2, "waiting"), (3, "waiting")]
    receiver.status = 200
    receiver.heard.clear()
    # The client asks for it anew: what waits follows in its order.
    again = by_criteria(receiver.url, "Observation", payload=True)
    assert house.own.ask("PUT", path, {**again, "id": path.partition("/")[2]}).status_code == 200
    run()
    assert [(one.number, one.path.rpartition("/")[2]) for one in receiver.heard] == [(2, keys[1]), (3, keys[2])]
    assert states() == [(1, "dead"), (2, "delivered"), (3, "delivered")]


def test_a_search_that_fails_stops_its_subscription_and_never_the_change(house: House, receiver: Receiver) -> None:
    path = _subscribe(house, by_criteria(receiver.url, "Observation"))
    healthy = by_criteria(receiver.url, "Observation", payload=True)
    _subscribe(house, healthy)
    with acting(SYSTEM):
        Subscription.objects.filter(key=path.partition("/")[2]).update(terms=[{"k": "nonsense"}])
    _observed(house)
    run()
    shown = house.own.ask("GET", path).json()
    assert (shown["status"], shown["error"].startswith("criteria: ")) == ("error", True)
    assert [one.method for one in receiver.heard] == ["PUT"]


def test_a_redirect_is_not_followed(house: House, receiver: Receiver) -> None:
    _subscribe(house, by_criteria(receiver.url, "Observation"))
    receiver.status, receiver.location = 302, f"http://127.0.0.1:{receiver.port}/elsewhere"
    _observed(house)
    run()
    assert [one.path for one in receiver.heard] == ["/hook"]
    assert states() == [(1, "waiting")]


def test_headers_are_sent_and_never_read_back(house: House, receiver: Receiver) -> None:
    secret = {"header": ["Authorization: Bearer geheim-7", "X-Site: A"]}
    path = _subscribe(house, by_criteria(receiver.url, "Observation", channel=secret))
    shown = house.own.ask("GET", path)
    assert shown.json()["channel"]["header"] == ["Authorization: [sealed]", "X-Site: [sealed]"]
    history = house.own.ask("GET", f"{path}/_history")
    assert "geheim" not in shown.content.decode() + history.content.decode()
    assert house.own.ask("PUT", path, shown.json()).status_code == 200
    _observed(house)
    run()
    assert receiver.heard[0].headers["Authorization"] == "Bearer geheim-7"
    with acting(SYSTEM), connection.cursor() as cursor:
        cursor.execute("SELECT headers, resource::text FROM subscriptions_subscription")
        sealed, resource = cursor.fetchone()
        assert b"geheim" not in bytes(sealed)
        assert "geheim" not in resource
        assert not Resource.objects.filter(type="Subscription", content__icontains="geheim").exists()
    assert house.foreign.ask("GET", path).status_code == 404


def test_topic_greets_then_tells_events_without_a_gap(house: House, receiver: Receiver) -> None:
    path = _subscribe(house, by_topic(receiver.url, "report-signed", "full-resource", max_count=2))
    assert house.own.ask("GET", path).json()["status"] == "requested"
    early = _reported(house)
    run()
    assert [one.kind for one in receiver.heard] == ["handshake", "event-notification"]
    assert house.own.ask("GET", path).json()["status"] == "active"
    keys = [early, _reported(house), _reported(house), _reported(house)]
    _reported(house, status="preliminary")
    note = {**_report(house, conclusion="补记"), "id": keys[1]}
    assert house.own.ask("PUT", f"DiagnosticReport/{keys[1]}", note).status_code == 200
    amended = {**_report(house, status="amended", issued="2026-05-02T08:00:00+08:00"), "id": keys[1]}
    assert house.own.ask("PUT", f"DiagnosticReport/{keys[1]}", amended).status_code == 200
    run()
    bundles = [one.json() for one in receiver.heard]
    assert [problems(one) for one in bundles] == [[]] * len(bundles)
    assert {one["type"] for one in bundles} == {"history"}
    told = [event for one in bundles for event in _events(one)]
    assert [event["event-number"]["valueString"] for event in told] == ["1", "2", "3", "4", "5"]
    focuses = [event["focus"]["valueReference"]["reference"].rpartition("/")[2] for event in told]
    assert focuses == [*keys, keys[1]]
    assert [len(_events(one)) for one in bundles] == [0, 1, 2, 2]
    last = bundles[-1]["entry"][-1]
    assert (last["resource"]["status"], last["request"]["method"]) == ("amended", "PUT")
    parts = {one["name"]: one for one in bundles[-1]["entry"][0]["resource"]["parameter"]}
    assert parts["events-since-subscription-start"]["valueString"] == "5"
    assert parts["topic"]["valueCanonical"].endswith("/SubscriptionTopic/report-signed")


def _report(house: House, **changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "code": {"text": "胸部 X 线"},
        "subject": {"reference": house.patient},
        "issued": "2026-05-01T08:00:00+08:00",
        **changes,
    }


def _reported(house: House, **changes: Any) -> str:
    return str(house.own.ask("POST", "DiagnosticReport", _report(house, **changes)).json()["id"])


def _events(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    parts = bundle["entry"][0]["resource"]["parameter"]
    return [{one["name"]: one for one in part["part"]} for part in parts if part["name"] == "notification-event"]


def test_topic_filters_and_contents(house: House, receiver: Receiver) -> None:
    other = make_resident(
        organization_id=house.world.village, name="李某", number="", phone="", panel_of=(house.world.lead,)
    )
    for content in ("empty", "id-only"):
        wanted = by_topic(receiver.url, "report-signed", content, f"DiagnosticReport?patient={house.patient}")
        _subscribe(house, wanted)
    _reported(house, subject={"reference": f"Patient/{other.key}"})
    key = _reported(house)
    run()
    empty, ids = [one.json() for one in receiver.heard if one.kind == "event-notification"]
    assert len(empty["entry"]) == 1
    assert "topic" not in {one["name"] for one in empty["entry"][0]["resource"]["parameter"]}
    assert "focus" not in _events(empty)[0]
    assert "resource" not in ids["entry"][1]
    assert ids["entry"][1]["fullUrl"].endswith(f"/fhir/DiagnosticReport/{key}")


def test_the_statement_names_topics_and_operations(house: House, receiver: Receiver) -> None:
    statement = house.own.ask("GET", "metadata").json()["rest"][0]["resource"]
    entry = next(one for one in statement if one["type"] == "Subscription")
    topics = [one["valueCanonical"].rpartition("/")[2] for one in entry["extension"]]
    assert topics == [
        "referral-stage",
        "report-signed",
        "critical-value",
        "appointment",
        "referral-messages",
        "booking-messages",
    ]
    assert {one["name"] for one in entry["operation"]} == {"validate", "status", "events"}
    for topic in topics[:-2]:
        _subscribe(house, by_topic(receiver.url, topic, "empty"))
    run()
    assert [one.kind for one in receiver.heard] == ["handshake"] * 4


def test_heartbeat_goes_out_when_nothing_else_does(house: House, receiver: Receiver) -> None:
    _subscribe(house, by_topic(receiver.url, "report-signed", "empty", heartbeat_period=60))
    run()
    with acting(SYSTEM):
        Subscription.objects.update(last_sent_at=timezone.now() - timedelta(seconds=61))
    run()
    run()
    assert [one.kind for one in receiver.heard] == ["handshake", "heartbeat"]
    parts = {one["name"]: one for one in receiver.heard[-1].json()["entry"][0]["resource"]["parameter"]}
    assert parts["events-since-subscription-start"]["valueString"] == "0"


def test_status_and_events_answer_the_client_alone(house: House, receiver: Receiver) -> None:
    path = _subscribe(house, by_topic(receiver.url, "report-signed", "id-only"))
    keys = [_reported(house) for _ in range(3)]
    run()
    found = house.own.ask("GET", f"{path}/$status").json()
    parts = {one["name"]: one for one in found["entry"][0]["resource"]["parameter"]}
    assert (parts["status"]["valueCode"], parts["type"]["valueCode"]) == ("active", "query-status")
    assert house.own.ask("GET", "Subscription/$status?status=error").json()["total"] == 0
    assert house.own.ask("GET", "Subscription/$status").json()["total"] == 1
    assert house.foreign.ask("GET", "Subscription/$status").json()["total"] == 0
    assert house.foreign.ask("GET", f"{path}/$events").status_code == 404
    events = house.own.ask("GET", f"{path}/$events?eventsSinceNumber=2&content=full-resource").json()
    assert [one["resource"]["id"] for one in events["entry"][1:]] == keys[1:]
    assert house.own.ask("GET", f"{path}/$events?numberSince=2").status_code == 400
    assert problems(events) == []


def test_an_end_turns_a_subscription_off(house: House, receiver: Receiver) -> None:
    end = (timezone.now() + timedelta(hours=1)).isoformat()
    path = _subscribe(house, by_criteria(receiver.url, "Observation", end=end))
    with acting(SYSTEM):
        Subscription.objects.update(ends_at=timezone.now())
    run()
    assert house.own.ask("GET", path).json()["status"] == "off"
    _observed(house)
    run()
    assert receiver.heard == []


def test_wait_after_doubles_up_to_the_longest() -> None:
    assert [wait_after(n, first=5, longest=60) for n in range(1, 7)] == [5, 10, 20, 40, 60, 60]
    assert wait_after(5_000, first=5, longest=3_600) == 3_600
