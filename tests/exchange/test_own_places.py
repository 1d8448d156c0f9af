"""A hospital's SIU about its own clinics acts on the one pool of places."""

from datetime import timedelta

import pytest
from django.utils import timezone

from doorstep.coordination.scheduling.models import Booking, Place, Schedule, Slot
from doorstep.kernel.access.session import acting
from doorstep.kernel.exchange.models import Connection
from doorstep.people.organizations.models import Department
from doorstep.people.residents.models import Resident
from doorstep.people.residents.tests.factories import World, make_resident, make_world
from tests.exchange.factories import header, make_connection, pid, system, take

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def zhou(world: World) -> Resident:
    return make_resident(organization_id=world.village, panel_of=(world.lead,))


@pytest.fixture
def his(world: World) -> Connection:
    return make_connection(world.lead)


def test_booking_of_an_own_clinic_takes_a_place_of_the_pool(his: Connection, world: World, zhou: Resident) -> None:
    """S12 takes the place, a resend finds it, S14 moves it, S15 gives it back; a clinic that is not here stays an Appointment."""
    start = timezone.localtime().replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=3)
    with acting(system()):
        clinic = Department.objects.create(organization_id=world.lead, code="N01", name="心内科门诊")
        schedule = Schedule.objects.create(organization_id=world.lead, department=clinic, service="clinic")
        for number in (0, 1):
            begins = start + timedelta(hours=number)
            slot = Slot.objects.create(
                schedule=schedule, organization_id=world.lead, starts_at=begins, ends_at=begins + timedelta(minutes=30)
            )
            Place.objects.create(slot=slot, number=1, quota="own", given_quota="own")

    def siu(event: str, control: str, hour: int, minute: int) -> str:
        at = (start + timedelta(hours=hour)).strftime("%Y%m%d%H%M%S")
        sent = f"202605021{minute:02d}000"
        return "\r".join(
            [
                header(f"SIU^{event}", control, at=sent),
                f"SCH|A7|B7||||患者要求|||30|MIN|^^30^{at}",
                pid(),
                "AIS|1||N01^心内科门诊",
            ]
        )

    def booked() -> list[tuple[str, int]]:
        with acting(system()):
            found = Booking.objects.order_by("id").values_list("state", "slot__starts_at__hour")
            return [(state, hour) for state, hour in found]

    taken = take(
        his, siu("S12", "P1", 0, 10), siu("S13", "P2", 0, 11), siu("S14", "P3", 1, 12), siu("S15", "P4", 1, 13)
    )
    assert [(message.state, message.error_kind) for message in taken] == [("applied", "")] * 4
    assert booked() == [("cancelled", 9), ("cancelled", 10)]
    with acting(system()):
        assert set(Place.objects.values_list("state", flat=True)) == {"free"}
        assert set(Booking.objects.values_list("channel", flat=True)) == {"system"}
