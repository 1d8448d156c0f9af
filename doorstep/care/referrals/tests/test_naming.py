"""A patient who is named later goes by that name on everything that is still open."""

import pytest

from doorstep.care.referrals import actions, handlers
from doorstep.care.referrals.models import FollowUp, Referral
from doorstep.care.referrals.tests.factories import draft, make_loop, referral_in
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.kernel.record import queries as record
from doorstep.people.identity.events import ResidentIdentified
from doorstep.people.residents.models import Resident
from doorstep.site.subscriptions import SUBSCRIPTIONS

pytestmark = pytest.mark.django_db


def _named(referral: Referral) -> None:
    Resident.objects.filter(pk=referral.resident_id).update(name="陈志远", gender="male")
    event = ResidentIdentified(
        subject=f"resident/{referral.resident_key}",
        subject_id=referral.resident_id,
        resident_id=referral.resident_id,
        organization_id=referral.source_id,
        consortium_id=None,
        user_id=None,
        details={"changed": ["name"]},
    )
    assert handlers.follow_name in SUBSCRIPTIONS[ResidentIdentified]
    for _time in range(2):
        handlers.follow_name(event)


@pytest.mark.parametrize("state", ["draft", "accepted", "admitted", "received_back"])
def test_an_open_referral_goes_by_the_name_that_is_right(state: str) -> None:
    referral = referral_in(make_loop(), state)
    with acting(system_actor(Purpose.HANDLER)):
        _named(referral)
        kept = Referral.objects.get(pk=referral.pk)
        assert (kept.patient_name, kept.patient_gender, kept.state) == ("陈志远", "male", referral.state)
        assert set(FollowUp.objects.filter(referral=kept).values_list("patient_name", flat=True)) <= {"陈志远"}
        request = record.read(type="ServiceRequest", fhir_id=str(referral.key))
        assert request is not None
        assert request["subject"]["display"] == "陈志远"


def test_a_referral_that_has_ended_keeps_the_name_under_which_it_was_sent() -> None:
    loop = make_loop()
    referral = draft(loop)
    with acting(loop.village):
        actions.withdraw(referral=referral, actor=loop.village, reason="患者改变主意")
    with acting(system_actor(Purpose.HANDLER)):
        _named(referral)
        assert Referral.objects.get(pk=referral.pk).patient_name == referral.patient_name
