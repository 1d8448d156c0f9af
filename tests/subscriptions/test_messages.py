"""A hospital that is not on Doorstep, over HTTP: it hears each step of its referrals as a message, in order, and answers by messages."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from doorstep.care.referrals import actions, queries
from doorstep.care.referrals.models import CaseQuestion, RecoveryPlan, Referral
from doorstep.care.referrals.tests.factories import CONSENT, Loop, draft, make_loop, make_slot, referral_in
from doorstep.coordination.scheduling.models import Booking, Slot
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.fhir import systems
from doorstep.kernel.fhir.validation import problems
from doorstep.kernel.record.models import Watch
from doorstep.kernel.subscriptions.models import Notification
from doorstep.people.organizations.models import Organization
from tests.fhir.house import System, token_of
from tests.fhir.test_messages import message
from tests.fhir.test_returns import encounter, plan
from tests.subscriptions.receiver import Receiver, allow, by_topic, listening, run, states, the_only, wait_no_longer

pytestmark = pytest.mark.django_db
SYSTEM = system_actor(Purpose.HANDLER)


def by_messages(url: str, topic: str = "referral-messages") -> dict[str, Any]:
    """A Subscription to the messages of a topic."""
    channel = {"type": "message", "endpoint": url, "payload": "application/fhir+json"}
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "转诊消息",
        "criteria": f"{systems.BASE}/SubscriptionTopic/{topic}",
        "channel": channel,
    }


def foreign(
    client: Client, unit: int, name: str, receiver: Receiver, topic: str = "referral-messages", **rules: Any
) -> System:
    """A hospital system that hears messages at its own address."""
    found = System(client, token_of(unit, name))
    allow(name, **rules)
    made = found.ask("POST", "Subscription", by_messages(receiver.url, topic))
    assert made.status_code == 201, made.content
    # Nobody is greeted: it may send at once.
    assert made.json()["status"] == "active"
    return found


def said(receiver: Receiver) -> list[str]:
    """The kinds of the messages that were heard, in order; each is valid FHIR with its focus inside."""
    kinds = []
    for one in receiver.heard:
        bundle = one.json()
        assert problems(bundle) == [], bundle
        header = bundle["entry"][0]["resource"]
        assert header["focus"][0]["reference"] in [entry["fullUrl"] for entry in bundle["entry"][1:]]
        kinds.append(header["eventCoding"]["code"])
    return kinds


def last(receiver: Receiver) -> dict[str, Any]:
    """The focus of the last message."""
    found: dict[str, Any] = receiver.heard[-1].json()["entry"][1]["resource"]
    return found


def only() -> Referral:
    with acting(SYSTEM):
        return Referral.objects.get()


def ask(system: System, event: str, focus: dict[str, Any], *more: dict[str, Any], status: int = 200) -> Any:
    """One message of a foreign hospital."""
    sent = message(event, focus)
    sent["entry"] += [{"fullUrl": "urn:uuid:00000000-0000-4000-8000-000000000001", "resource": one} for one in more]
    answer = system.ask("POST", "$process-message", sent)
    assert answer.status_code == status, answer.content
    return answer.json()


def submitted(loop: Loop) -> Referral:
    with acting(loop.village) as village:
        one = draft(loop)
        values = {"kind": "ordinary", "bed_requested": True, "critical": False}
        actions.revise(referral=one, actor=village, values=values)
        return actions.submit(referral=queries.get(key=one.key, actor=village), consent=CONSENT, actor=village)


def as_person(referral: Referral, actor: Actor, verb: str, **values: Any) -> None:
    with acting(actor):
        getattr(actions, verb)(referral=queries.get(key=referral.key, actor=actor), actor=actor, **values)


def test_a_foreign_hospital_is_asked_answers_treats_and_sends_home_by_messages(client: Client) -> None:
    loop = make_loop()
    with listening() as hospital, listening() as village, listening() as stranger:
        his = foreign(client, loop.world.lead, "his", hospital)
        foreign(client, loop.world.village, "village", village)
        foreign(client, loop.world.other_township, "foreign", stranger)
        referral = submitted(loop)
        run()
        assert (said(hospital), said(village)) == (["servicerequest-request"], [])
        along = [one["resource"]["resourceType"] for one in hospital.heard[0].json()["entry"]]
        assert along == ["MessageHeader", "ServiceRequest", "Patient", "Task", "Consent"]
        # Only a packet was sent: the person is named all the same.
        assert hospital.heard[0].json()["entry"][2]["resource"]["name"][0]["text"] == loop.resident.name
        based = [{"reference": f"ServiceRequest/{referral.key}"}]
        missing = {
            "resourceType": "Communication", "status": "completed", "basedOn": based,
            "reasonCode": [{"coding": [{"system": f"{systems.BASE}/CodeSystem/referral-return-reason", "code": "missing-exam"}]}],
            "payload": [{"contentString": "请补心电图"}],
        }  # fmt: skip
        ask(his, "communication-return", missing)
        assert (only().state, only().return_code) == ("returned", "missing-exam")
        run()
        assert last(village)["payload"] == [{"contentString": "请补心电图"}]
        as_person(referral, loop.village, "submit", consent=CONSENT)
        task = {"resourceType": "Task", "id": str(referral.key), "status": "accepted", "intent": "order"}
        ask(his, "servicerequest-response", {**task, "note": [{"text": "带身份证"}]})
        run()
        assert last(village)["note"] == [{"text": "带身份证"}]
        ask(his, "encounter-arrived", encounter(referral, "in-progress"))
        assert only().state == "arrived"
        ask(his, "encounter-admitted", encounter(referral, "planned"))
        assert (only().state, only().ward) == ("admitted", "心内一病区 12 床")
        ask(his, "encounter-discharged", encounter(referral, "finished"), status=409)
        ask(his, "encounter-discharged", encounter(referral, "finished"), plan(referral))
        assert only().state == "discharged"
        later = plan(referral)
        later["activity"][1]["detail"]["description"] = "第 14 天"
        ask(his, "careplan-handback", later)
        assert only().state == "handed_back"
        with acting(SYSTEM):
            assert RecoveryPlan.objects.get().follow_up_days == [14]
        run()
        assert said(village) == [
            "communication-return", "servicerequest-response", "encounter-arrived", "encounter-admitted",
            "encounter-discharged", "careplan-handback",
        ]  # fmt: skip
        assert last(village)["resourceType"] == "CarePlan"
        assert said(hospital) == ["servicerequest-request", "servicerequest-update"]
        _asked(his, loop, referral, hospital)
        assert said(stranger) == []


def _asked(his: System, loop: Loop, referral: Referral, hospital: Receiver) -> None:
    as_person(referral, loop.family, "receive_back")
    as_person(referral, loop.family, "ask_question", text="服药后牙龈出血，是否停药？")
    run()
    assert said(hospital)[2:] == ["careplan-response", "communication-question"]
    with acting(SYSTEM):
        key = CaseQuestion.objects.get().key
    answer = {
        "resourceType": "Communication", "status": "completed", "basedOn": [{"reference": f"ServiceRequest/{referral.key}"}],
        "payload": [{"contentString": "减量，三天后复查。"}],
    }  # fmt: skip
    ask(his, "communication-answer", answer, status=422)
    ask(his, "communication-answer", {**answer, "inResponseTo": [{"reference": f"Communication/{key}"}]})
    with acting(SYSTEM):
        assert CaseQuestion.objects.get().answer == "减量，三天后复查。"
    as_person(referral, loop.family, "close", outcome="恢复良好")
    run()
    # Its own answer is not told back to it.
    assert said(hospital)[4:] == ["careplan-response"]
    assert last(hospital)["businessStatus"]["coding"][0]["code"] == "closed"


def test_a_foreign_community_centre_takes_a_patient_back_by_messages(client: Client) -> None:
    loop = make_loop()
    with listening() as centre:
        township = foreign(client, loop.world.township, "centre", centre)
        referral = referral_in(loop, "handed_back")
        run()
        assert "careplan-handback" in said(centre)
        task = {"resourceType": "Task", "id": str(referral.key), "intent": "order"}
        ask(township, "careplan-response", {**task, "status": "accepted"})
        assert only().state == "received_back"
        ask(township, "careplan-response", {**task, "status": "completed", "note": [{"text": "恢复良好"}]})
        assert only().state == "closed"
        assert only().outcome.endswith("恢复良好")


def test_messages_keep_their_order_and_number_through_failures_and_end_without_the_patient(client: Client) -> None:
    loop = make_loop()
    with acting(system_actor(Purpose.IMPORT)):
        other = Organization.objects.create(code="H8", name="第二医院", kind="hospital", tier=2)
        Organization.objects.filter(pk=other.pk).update(path=[other.pk])
    with listening() as first, listening() as second:
        foreign(client, loop.world.lead, "his", first, attempts=2)
        foreign(client, other.pk, "his2", second)
        first.status = 503
        referral = submitted(loop)
        as_person(referral, loop.office, "redirect", target_id=other.pk, reason="无床位")
        as_person(referral, loop.village, "withdraw", reason="家属要求")
        for _try in range(3):
            run()
            wait_no_longer()
        # Two failures in a row: the first message is a dead letter, and nothing went past it.
        assert said(first) == ["servicerequest-cancel"] * 2
        with acting(SYSTEM):
            dead = Notification.objects.get(state="dead")
        assert {one.json()["identifier"]["value"] for one in first.heard} == {str(dead.key)}
        assert said(second)[-1:] == ["servicerequest-cancel"]
        told = json.dumps(second.heard[-1].json(), ensure_ascii=False)
        assert loop.resident.name not in told
        assert "急性" not in told
        assert last(second) == {
            "resourceType": "ServiceRequest", "id": str(referral.key), "status": "revoked", "intent": "order",
            "subject": {"reference": f"Patient/{loop.resident.key}"}, "note": [{"text": "已撤回"}],
        }  # fmt: skip
        assert {number for number, _state in states()} <= {1, 2}


def test_a_message_that_is_refused_in_words_is_a_dead_letter_and_the_next_has_its_turn(client: Client) -> None:
    loop = make_loop()
    with listening() as hospital:
        foreign(client, loop.world.lead, "his", hospital, attempts=2)
        later = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "throttled"}]}
        hospital.content = json.dumps(later).encode()
        referral = submitted(loop)
        run()
        # Not now: the same message again, although the status said yes.
        assert [state for _number, state in states()] == ["waiting"]
        header = {"resourceType": "MessageHeader", "response": {"identifier": "1", "code": "fatal-error"}}
        why = {
            "resourceType": "OperationOutcome",
            "issue": [{"severity": "error", "code": "invalid", "diagnostics": "无此科室"}],
        }
        entries = [{"resource": one} for one in (header, why)]
        hospital.content = json.dumps({"resourceType": "Bundle", "type": "message", "entry": entries}).encode()
        wait_no_longer()
        run()
        with acting(SYSTEM):
            dead = Notification.objects.get()
        assert (dead.state, "无此科室" in dead.error) == ("dead", True)
        hospital.content = b""
        as_person(referral, loop.village, "withdraw", reason="家属要求")
        run()
        assert said(hospital)[-1] == "servicerequest-cancel"
        assert [state for _number, state in states()] == ["dead", "delivered"]
        assert the_only().state == "active"


def test_a_channel_of_messages_is_for_the_topic_of_messages(client: Client) -> None:
    loop = make_loop()
    his = System(client, token_of(loop.world.lead, "his"))
    allow("his")
    url = "http://127.0.0.1:9/hook"
    wrong = [
        {**by_messages(url), "criteria": "Task?"},
        {**by_messages(url), "criteria": f"{systems.BASE}/SubscriptionTopic/referral-stage"},
        by_topic(url, "referral-messages", "full-resource"),
        {**by_messages(url), "channel": {"type": "email", "endpoint": "mailto:a@example.cn"}},
    ]
    for one in wrong:
        assert his.ask("POST", "Subscription", one).status_code == 422
    assert his.ask("POST", "Subscription", by_messages(url)).status_code == 201
    with acting(SYSTEM):
        assert set(Watch.objects.values_list("type", flat=True)) == {"Task", "Communication"}


def place(referral: Referral, slot: Slot, **more: Any) -> dict[str, Any]:
    """An Appointment for a referral, as a hospital's system asks for it."""
    return {
        "resourceType": "Appointment", "status": "booked", "start": slot.starts_at.isoformat(timespec="seconds"),
        "end": slot.ends_at.isoformat(timespec="seconds"), "slot": [{"reference": f"Slot/{slot.key}"}],
        "serviceCategory": [{"coding": [{"code": "referral"}]}],
        "basedOn": [{"reference": f"ServiceRequest/{referral.key}"}],
        "participant": [{"actor": {"reference": f"Patient/{referral.resident_key}"}, "status": "accepted"}], **more,
    }  # fmt: skip


def booking_in(state: str) -> Booking:
    with acting(SYSTEM):
        return Booking.objects.select_related("slot").get(state=state)


def test_bookings_are_made_moved_and_cancelled_by_messages_in_and_out(client: Client) -> None:
    loop = make_loop()
    early, late, latest = (make_slot(loop, starts_at=timezone.now() + timedelta(days=days)) for days in (1, 2, 3))
    with listening() as clinic, listening() as village:
        his = foreign(client, loop.world.lead, "his", clinic, "booking-messages")
        sender = foreign(client, loop.world.village, "village", village, "booking-messages")
        referral = submitted(loop)
        made = ask(sender, "booking-request", place(referral, early))["entry"][0]["resource"]["focus"][0]["reference"]
        first = booking_in("booked")
        assert made.endswith(f"Appointment/{first.key}")
        assert (first.reference, first.channel) == (referral.subject, "referral")
        run()
        # Who booked is told nothing of it.
        assert (said(clinic), said(village)) == (["booking-request"], [])
        along = [one["resource"]["resourceType"] for one in clinic.heard[0].json()["entry"]]
        assert along == ["MessageHeader", "Appointment", "Patient", "ServiceRequest"]
        ask(sender, "booking-update", place(referral, late, id=str(first.key)))
        run()
        assert said(clinic)[1:] == ["booking-update"]
        assert last(clinic)["supportingInformation"][0]["reference"] == f"Appointment/{first.key}"
        second = booking_in("booked")
        assert second.slot_id == late.pk
        # The clinic moves it, and then cannot keep it: the side that had booked hears both.
        ask(his, "booking-update", place(referral, latest, id=str(second.key)))
        third = booking_in("booked")
        cancelled = {"resourceType": "Appointment", "id": str(third.key), "cancelationReason": {"text": "医师外出会诊"}}
        ask(his, "booking-cancel", cancelled)
        run()
        assert said(clinic)[2:] == []
        with acting(SYSTEM):
            assert Booking.objects.filter(state="booked").count() == 0
        ask(
            sender,
            "booking-request",
            place(referral, early, basedOn=[{"reference": f"ServiceRequest/{third.key}"}]),
            status=404,
        )


def test_a_foreign_hospital_accepts_with_a_place_and_declines_with_alternatives(client: Client) -> None:
    loop = make_loop()
    slot = make_slot(loop)
    with listening() as hospital, listening() as village:
        his = foreign(client, loop.world.lead, "his", hospital)
        foreign(client, loop.world.village, "village", village)
        referral = submitted(loop)
        task = {"resourceType": "Task", "id": str(referral.key), "intent": "order"}

        def output(code: str, **value: Any) -> list[dict[str, Any]]:
            return [{"type": {"coding": [{"code": code}]}, **value}]

        kept = output("slot", valueReference={"reference": f"Slot/{slot.key}"})
        ask(his, "servicerequest-response", {**task, "status": "accepted", "output": kept})
        found = only()
        assert (found.state, found.booking_id, found.expected_at) == (
            "accepted",
            booking_in("booked").pk,
            slot.starts_at,
        )
        assert "心血管内科" in found.appointment_text
        run()
        assert last(village)["executionPeriod"]["start"][:16] == slot.starts_at.isoformat()[:16]
        as_person(referral, loop.village, "withdraw", reason="家属要求")
        other = submitted(loop)
        task = {**task, "id": str(other.key), "status": "rejected"}
        code = {"coding": [{"system": f"{systems.BASE}/CodeSystem/referral-decline-reason", "code": "no-bed"}]}
        where = output("alternative", valueReference={"display": "第二医院心内科"})
        ask(
            his,
            "servicerequest-response",
            {**task, "statusReason": code, "note": [{"text": "床位已满"}], "output": where},
        )
        with acting(SYSTEM):
            declined = Referral.objects.get(key=other.key)
        assert (declined.state, declined.decline_code, declined.alternative) == ("declined", "no-bed", "第二医院心内科")
        run()
        assert last(village)["output"][0]["valueString"] == "第二医院心内科"
        assert last(village)["statusReason"]["coding"][0]["code"] == "no-bed"
