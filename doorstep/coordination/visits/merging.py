"""Visits that keep two records of one person from being merged: nobody is seen twice at a time in one unit."""

from collections.abc import Sequence

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.coordination.visits import states
from doorstep.coordination.visits.models import Visit
from doorstep.coordination.visits.permissions import Permission
from doorstep.kernel.access.actor import Actor
from doorstep.people.identity.obstacles import Held, Obstacle, whom_to_call


def in_the_way(standing_id: int, former_id: int, actor: Actor) -> Sequence[Obstacle]:
    """The visits in progress of both at one unit, with whoever can end one of them."""
    rows = list(
        Visit.objects.filter(resident_id__in=(standing_id, former_id), state=states.IN_PROGRESS)
        .select_related("organization", "practitioner")
        .order_by("created_at", "id")
    )
    rows.sort(key=lambda one: one.resident_id != standing_id)
    clashing = [
        one
        for one in rows
        if any(other.resident_id != one.resident_id and other.organization_id == one.organization_id for other in rows)
    ]
    if not clashing:
        return ()
    sentence = _("两份档案在同一单位都有未结束的接诊，请先结束其中一次接诊。")
    return (Obstacle(sentence, tuple(_held(one, actor) for one in clashing)),)


def _held(visit: Visit, actor: Actor) -> Held:
    seen = actor.reaches(visit.organization_id) and actor.may(Permission.VISIT_OPEN)
    began = timezone.localtime(visit.created_at).strftime("%Y-%m-%d %H:%M")
    who = visit.practitioner.name if visit.practitioner else ""
    return Held(
        resident_id=visit.resident_id,
        what=_("%(kind)s · %(time)s 开始") % {"kind": _(str(visit.get_kind_display())), "time": began},
        unit=visit.organization.name,
        page=reverse("visits:detail", args=[visit.key]) if seen else "",
        act=_("结束接诊") if seen else "",
        call="" if seen else whom_to_call(visit.organization.name, visit.organization.phone, who),
    )
