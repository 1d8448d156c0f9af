"""Reads of 门诊慢特病."""

from collections.abc import Sequence
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef
from django.db.models.functions import JSONObject
from django.utils import timezone

from doorstep.kernel.access.refusals import NotFound
from doorstep.people.organizations import queries as organizations
from doorstep.people.residents import special
from doorstep.people.residents.models import Insurance, Resident
from doorstep.people.residents.special_models import SpecialDisease


def standing_specials() -> ArraySubquery:
    """The diseases that the insurance recognises and the actor may read of, with the day until which; of an outer resident."""
    standing = SpecialDisease.objects.filter(resident_id=OuterRef("pk"), ended_at__isnull=True).order_by("since", "id")
    return ArraySubquery(standing.values(facts=JSONObject(kind="kind", name="name", until="until")))


def specials_now(resident: Resident) -> list[str]:
    """The names of recognised diseases whose span has not passed; of a resident who was read by the key."""
    today = timezone.localdate().isoformat()
    return [
        special.words(kind=one["kind"], name=one["name"])
        for one in getattr(resident, "specials", None) or []
        if one["until"] is None or one["until"] >= today
    ]


def specials_of(*, resident_id: int) -> list[SpecialDisease]:
    """Every line of a resident that the actor may read: those that stand first, then the newest."""
    found = SpecialDisease.objects.filter(resident_id=resident_id).order_by("-since", "-id")
    return sorted(found, key=lambda line: line.ended_at is not None)


def get_special(*, key: UUID | str, resident_id: int) -> SpecialDisease:
    """A line of this resident; raises NotFound."""
    found = SpecialDisease.objects.select_related("resident").filter(resident_id=resident_id, key=key).first()
    if found is None:
        raise NotFound()
    return found


def likely_place(resident: Resident, lines: Sequence[Insurance]) -> str:
    """Where a resident is most likely insured: as it stands now, else the county of the address, else that of the unit."""
    known = next((line.place for line in lines if line.is_basic and line.place and line.ended_at is None), "")
    unit = resident.organization
    above = organizations.names(ids=unit.path)
    return known or special.place_of([resident.address, unit.name, *(above.get(one, "") for one in unit.path)])
