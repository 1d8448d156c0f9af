"""What a death ends, app by app, each by its own handler."""

from datetime import timedelta

import pytest
from django.utils import timezone

from doorstep.care.contracts import handlers as contracts
from doorstep.care.contracts import queries as contract_queries
from doorstep.care.contracts.models import Contract
from doorstep.care.contracts.tests.factories import make_signing, sign_with
from doorstep.care.diagnosis import handlers as diagnosis
from doorstep.care.diagnosis.models import EcgOrder
from doorstep.care.diagnosis.tests import factories as ecg
from doorstep.care.referrals import handlers as referrals
from doorstep.care.referrals.models import FollowUp, Referral
from doorstep.care.referrals.tests import factories as referral_factories
from doorstep.coordination.notices import actions as notices
from doorstep.coordination.notices.models import Notice
from doorstep.coordination.scheduling import actions as scheduling
from doorstep.coordination.scheduling import handlers as scheduling_handlers
from doorstep.coordination.scheduling.models import Booking, Place
from doorstep.coordination.visits import actions as visits
from doorstep.kernel.access.actor import Actor, Purpose, system_actor
from doorstep.kernel.access.refusals import Conflict
from doorstep.kernel.access.session import acting
from doorstep.people.residents import deaths, queries
from doorstep.people.residents.events import ResidentDied
from doorstep.people.residents.models import Resident
from doorstep.site.subscriptions import SUBSCRIPTIONS

pytestmark = pytest.mark.django_db


def _die(resident: Resident, doctor: Actor) -> ResidentDied:
    with acting(doctor):
        found = queries.get(resident_id=resident.pk)
        deaths.record_death(resident=found, died_on=timezone.localdate(), source="family", actor=doctor)
    return ResidentDied(subject=f"resident/{resident.key}", resident_id=resident.pk)


def test_death_ends_the_contract_and_keeps_the_sight() -> None:
    signing = make_signing()
    contract = sign_with(signing, signing.village_doctor)
    event = _die(signing.resident, signing.village_doctor)
    with acting(system_actor(Purpose.HANDLER)):
        contracts.end_for_death(event)
        contracts.end_for_death(event)
        # The team is told of what ends afterwards, whichever handler comes first.
        assert contract_queries.unit_of_team(resident_id=signing.resident.pk, day=timezone.localdate())
    with acting(signing.village_doctor):
        ended = Contract.objects.get(pk=contract.pk)
        assert (ended.state, ended.ending) == ("terminated", "died")
        assert queries.get(resident_id=signing.resident.pk).deceased_on is not None


@pytest.mark.parametrize("state", ["submitted_green", "accepted", "admitted", "received_back"])
def test_death_ends_referrals_and_follow_ups(state: str) -> None:
    loop = referral_factories.make_loop()
    referral = referral_factories.referral_in(loop, state)
    event = _die(loop.resident, loop.village)
    with acting(system_actor(Purpose.HANDLER)):
        referrals.end_for_death(event)
        assert Referral.objects.get(pk=referral.pk).state == "died"
        left = FollowUp.objects.filter(referral_id=referral.pk).exclude(state="cancelled")
        assert not left.exists()


def test_death_gives_places_back_and_stops_new_acts() -> None:
    loop = referral_factories.make_loop()
    slot = referral_factories.make_slot(loop, starts_at=timezone.now() + timedelta(days=1))
    with acting(loop.village):
        held = scheduling.hold(slot_key=slot.key, origin="referral", actor=loop.village, resident_id=loop.resident.pk)
        scheduling.book(hold_key=held.key, resident_id=loop.resident.pk, actor=loop.village)
    event = _die(loop.resident, loop.village)
    with acting(system_actor(Purpose.HANDLER)):
        scheduling_handlers.end_for_death(event)
        assert Booking.objects.get(resident_id=loop.resident.pk).state == "cancelled"
        assert Place.objects.get(slot=slot).state == "free"
    with acting(loop.village), pytest.raises(Conflict):
        scheduling.hold(slot_key=slot.key, origin="referral", actor=loop.village, resident_id=loop.resident.pk)
    with acting(loop.village), pytest.raises(Conflict):
        visits.open_visit(resident_id=loop.resident.pk, actor=loop.village)
    with acting(loop.village), pytest.raises(Conflict):
        referral_factories.draft(loop)


def test_death_takes_back_an_order_without_a_recording_only() -> None:
    loop = ecg.make_loop()
    waiting, sent = ecg.queued(loop), ecg.ordered(loop)
    event = _die(loop.resident, loop.actor("village"))
    with acting(system_actor(Purpose.HANDLER)):
        diagnosis.end_for_death(event)
        states = dict(EcgOrder.objects.values_list("pk", "state"))
    assert (states[sent.pk], states[waiting.pk]) == ("cancelled", "queued")


def test_the_dead_are_told_nothing() -> None:
    signing = make_signing()
    sign_with(signing, signing.village_doctor)
    _die(signing.resident, signing.village_doctor)
    with acting(system_actor(Purpose.CLOCKS)) as clock:
        before = Notice.objects.count()
        notices.tell(kind="contract-due", resident_id=signing.resident.pk, actor=clock)
        assert Notice.objects.count() == before


def test_every_app_with_open_things_hears_of_a_death() -> None:
    heard = {handler.__module__.split(".")[2] for handler in SUBSCRIPTIONS[ResidentDied]}
    assert heard == {"scheduling", "contracts", "referrals", "diagnosis"}
