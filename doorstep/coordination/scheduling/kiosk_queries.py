"""Reads of the kiosk and of the telephone desk: what one person has to come."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from doorstep.coordination.scheduling import own_queries
from doorstep.coordination.scheduling.models import Booking
from doorstep.coordination.scheduling.states import EXPECTED
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.fhir import spelling
from doorstep.people.residents.models import Resident


def coming_here(*, person: Actor, organization_id: int | None = None) -> list[Booking]:
    """The bookings to come of the person who was identified, at one house or at all, next first."""
    # Who left unseen today may come back and check in again.
    found = Booking.objects.filter(
        Q(state__in=EXPECTED) | Q(state="left", slot__starts_at__date=timezone.localdate()),
        resident_id__in=person.resident_ids,
        slot__ends_at__gte=timezone.now() - timedelta(hours=2),
    )
    if organization_id is not None:
        found = found.filter(organization_id=organization_id)
    with_slot = (
        "slot__schedule__department",
        "slot__schedule__practitioner",
        "slot__schedule__facility",
        "slot__facility",
        "organization",
    )
    return list(found.select_related(*with_slot, "ticket").order_by("period")[:6])


def offers_here(*, person: Resident, text: str, organization_id: int | None, days: int) -> list[own_queries.Offer]:
    """The departments of a house that a word finds; letters are the first ones of a department's or a doctor's name (XNK, 心内科)."""
    letters = text.casefold() if text.isascii() and text.isalpha() else ""
    found = own_queries.offers(person=person, text=text, days=days, organization_id=organization_id)
    if not letters:
        return found
    # A machine has no keys for Chinese, so its letters are looked up among all departments of the house; a name as it is typed (CT) was found already.
    every = own_queries.offers(person=person, text="", days=days, organization_id=organization_id, only_fitting=False)
    known = {one.key for one in found}
    return found + [one for one in every if one.key not in known and _begins(one, letters)]


def _begins(offer: own_queries.Offer, letters: str) -> bool:
    names = [offer.department, *(offer.experts or "").split("、")]
    return any(letters in "".join(spelling.initials(name)).casefold() for name in names)
