"""What our own workflows publish is told like what hospitals send: the stages of a referral."""

import pytest
from django.test import Client

from doorstep.care.referrals.tests.factories import make_loop, referral_in
from tests.fhir.house import System, token_of
from tests.subscriptions.receiver import allow, by_topic, listening, run, states

pytestmark = pytest.mark.django_db


def test_stages_of_a_referral_reach_the_hospital_and_no_stranger(client: Client) -> None:
    loop = make_loop()
    stages = "Task?business-status=accepted,arrived"
    with listening() as own, listening() as strange:
        for name, unit, receiver in (("his", loop.world.lead, own), ("foreign", loop.world.other_township, strange)):
            system = System(client, token_of(unit, name))
            allow(name)
            wanted = by_topic(receiver.url, "referral-stage", "full-resource", stages)
            assert system.ask("POST", "Subscription", wanted).status_code == 201
        run()
        referral = referral_in(loop, "arrived")
        run()
        assert [one.kind for one in strange.heard] == ["handshake"]
        told = [one.json()["entry"][1]["resource"] for one in own.heard if one.kind == "event-notification"]
    assert [one["businessStatus"]["coding"][0]["code"] for one in told] == ["accepted", "arrived"]
    assert {one["id"] for one in told} == {str(referral.key)}
    assert states() == [(1, "delivered"), (2, "delivered")]
