"""The directory of the record: every unit, place, person who works and post as resources, for those that are not there yet."""

from collections.abc import Iterable

from django.utils import timezone

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.record import actions as record
from doorstep.kernel.record.models import Resource
from doorstep.kernel.record.publishing import Published
from doorstep.people.organizations.models import Organization
from doorstep.people.organizations.published import location_resource, organization_resource
from doorstep.people.workforce.models import Post, Practitioner
from doorstep.people.workforce.published import practitioner_resource, role_resource
from doorstep.people.workforce.role_names import role_of

_BATCH = 500


def publish_directory(*, actor: Actor) -> int:
    """Publish what the record does not know yet; what changes later is published by the act that changes it."""
    today = timezone.localdate()
    units = list(Organization.objects.select_related("parent").order_by("id"))
    posts = Post.objects.select_related("practitioner", "organization", "department").order_by("id")
    missing = _missing(
        [
            *map(organization_resource, units),
            *map(location_resource, units),
            *(
                practitioner_resource(one, active=True, organization_id=None)
                for one in Practitioner.objects.order_by("id")
            ),
            *(role_resource(post, role_of(post.role), today=today) for post in posts),
        ]
    )
    for start in range(0, len(missing), _BATCH):
        record.publish_new([(one, None) for one in missing[start : start + _BATCH]], actor=actor)
    return len(missing)


def _missing(resources: Iterable[Published]) -> list[Published]:
    types = ("Organization", "Location", "Practitioner", "PractitionerRole")
    known = set(Resource.objects.filter(type__in=types).values_list("type", "fhir_id"))
    return [one for one in resources if (one.content["resourceType"], one.content["id"]) not in known]
