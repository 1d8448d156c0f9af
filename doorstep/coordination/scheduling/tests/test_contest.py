"""Many clients, real commits: the last place goes to one, and no place to two."""

from datetime import timedelta

import pytest

from doorstep.coordination.scheduling import queries
from doorstep.coordination.scheduling.models import Booking
from doorstep.coordination.scheduling.tests.contest import contest
from doorstep.coordination.scheduling.tests.factories import make_clinic, make_slot
from doorstep.kernel.access.actor import Purpose, system_actor
from doorstep.kernel.access.session import acting
from doorstep.people.residents.tests.factories import make_resident

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def _residents(count: int, village: int) -> list[int]:
    return [
        make_resident(organization_id=village, name=f"居民{number}", number="", phone="", panel_of=(village,)).id
        for number in range(count)
    ]


def test_thirty_clients_after_the_last_place() -> None:
    clinic = make_clinic()
    slot = make_slot(clinic, referral=1)
    later = make_slot(clinic, starts_at=slot.starts_at + timedelta(hours=1), referral=2)
    outcome = contest(
        n_clients=30,
        tries=30,
        slot_keys=[slot.key],
        resident_ids=_residents(30, clinic.world.village),
        actor=clinic.doctor,
    )
    assert outcome.faults == []
    assert len(outcome.booked) == 1
    assert len(outcome.sentences) == 29
    assert set(outcome.next_slots) == {later.key}
    assert all("最近可约：王主任" in sentence for sentence in outcome.sentences)


def test_contested_tries_never_book_a_place_twice() -> None:
    clinic = make_clinic()
    first = make_slot(clinic, referral=3, open=2)
    second = make_slot(clinic, starts_at=first.starts_at + timedelta(hours=1), referral=4)
    outcome = contest(
        n_clients=8,
        tries=60,
        slot_keys=[first.key, second.key],
        resident_ids=_residents(20, clinic.world.village),
        actor=clinic.doctor,
    )
    assert outcome.faults == []
    assert outcome.tries == 60
    with acting(system_actor(Purpose.CLOCKS)):
        places = list(Booking.objects.filter(state="booked").values_list("place_id", flat=True))
        counts = queries.counts()
    assert len(places) == len(set(places)) == len(outcome.booked) == counts["booked"] == 9
    assert counts["held"] == 0
