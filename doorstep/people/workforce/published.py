"""Who works here as FHIR R4 Practitioner and PractitionerRole (hl7.org/fhir/R4/practitionerrole.html)."""

from datetime import date, timedelta

from django.utils import timezone

from doorstep.kernel.access.roles import Role
from doorstep.kernel.fhir import elements
from doorstep.kernel.record.publishing import Published
from doorstep.people.workforce.models import Post, Practitioner


def practitioner_resource(person: Practitioner, *, active: bool, organization_id: int | None) -> Published:
    """The Practitioner of a person: name, sex and title; numbers and phones stay with the workforce."""
    content = elements.compact(
        {
            "resourceType": "Practitioner",
            "id": str(person.key),
            "active": active,
            "name": [{"use": "official", "text": person.name}],
            "gender": person.gender,
            "qualification": [{"code": elements.text_concept(person.title)}] if person.title else [],
        }
    )
    return Published(
        content=content, organization_id=organization_id, occurred_at=timezone.now(), category="practitioner"
    )


def role_resource(post: Post, role: Role | None, *, today: date) -> Published:
    """The PractitionerRole of a post, inactive outside its days."""
    upper = post.period.upper
    last = upper - timedelta(days=1) if upper else None
    content = elements.compact(
        {
            "resourceType": "PractitionerRole",
            "id": str(post.key),
            "active": post.period.lower <= today and (last is None or today <= last),
            "period": elements.period(post.period.lower, last),
            "practitioner": elements.reference("Practitioner", post.practitioner.key, post.practitioner.name),
            "organization": elements.reference("Organization", post.organization.key, post.organization.name),
            "code": [elements.text_concept(role.zh if role else post.role)],
            "specialty": [elements.text_concept(post.department.name)] if post.department else [],
        }
    )
    return Published(
        content=content, organization_id=post.organization_id, occurred_at=timezone.now(), category="practitioner"
    )
