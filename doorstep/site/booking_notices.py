"""What residents are sent of bookings that were made or given back for them by telephone."""

from collections.abc import Mapping

from django.urls import reverse

from doorstep.coordination.notices.actions import tell
from doorstep.coordination.notices.texts import Text
from doorstep.kernel.access.actor import Actor

TEXTS: dict[str, Text] = {
    "booking-made": Text("已为您预约：%(time)s %(place)s", "Booked for you: %(time)s %(place)s"),
    "booking-given-back": Text("您的预约已取消：%(time)s %(place)s", "Your booking was cancelled: %(time)s %(place)s"),
}


def tell_resident(resident_id: int, kind: str, params: Mapping[str, str], actor: Actor) -> None:
    """Send the notice; it leads to the resident's own bookings."""
    tell(kind=kind, resident_id=resident_id, params=params, link=reverse("scheduling:mine"), actor=actor)
