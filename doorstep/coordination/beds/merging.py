"""Beds that keep two records of one person from being merged: nobody lies in two."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import gettext as _

from doorstep.coordination.beds.models import Stay
from doorstep.coordination.beds.permissions import Permission
from doorstep.kernel.access.actor import Actor
from doorstep.people.identity.obstacles import Held, Obstacle, whom_to_call


def in_the_way(standing_id: int, former_id: int, actor: Actor) -> Sequence[Obstacle]:
    """The beds in which both lie now, with the ward that can end one of the stays."""
    rows = list(
        Stay.objects.filter(resident_id__in=(standing_id, former_id), left_at__isnull=True)
        .select_related("bed__ward", "organization")
        .order_by("admitted_at", "id")
    )
    rows.sort(key=lambda one: one.resident_id != standing_id)
    if len({one.resident_id for one in rows}) < 2:
        return ()
    sentence = _("两份档案的居民各占一张床位，请先为其中一份办理腾床。")
    return (Obstacle(sentence, tuple(_held(one, actor) for one in rows)),)


def _held(stay: Stay, actor: Actor) -> Held:
    managed = actor.may(Permission.BED_MANAGE) and actor.reaches(stay.organization_id)
    return Held(
        resident_id=stay.resident_id,
        what=f"{stay.bed.ward.name} {stay.bed.number}",
        unit=stay.organization.name,
        page=reverse("beds:stay", args=[stay.key]) if managed else "",
        act=_("办理腾床") if managed else "",
        call="" if managed else whom_to_call(stay.organization.name, stay.organization.phone, stay.bed.ward.name),
    )
