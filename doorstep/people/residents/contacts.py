"""Whom to call for a resident: the emergency contact, who may be the guardian, and its FHIR R4 RelatedPerson.

居民健康档案 asks for the name and phone of one contact (国家基本公共卫生服务规范（第三版）, personal sheet).
"""

from dataclasses import dataclass
from uuid import uuid5

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Refused
from doorstep.kernel.audit import actions as audit
from doorstep.kernel.events import actions as events
from doorstep.kernel.fhir import elements, systems
from doorstep.kernel.record import actions as record
from doorstep.kernel.record.publishing import Published
from doorstep.people.residents import queries
from doorstep.people.residents.events import ResidentChanged
from doorstep.people.residents.models import Resident
from doorstep.people.residents.permissions import Permission
from doorstep.people.residents.rules import RELATIONS

_ROLE = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
_CONTACT_ROLE = "http://terminology.hl7.org/CodeSystem/v2-0131"
# hl7.org/fhir/R4/valueset-relatedperson-relationshiptype.html, by the house's code of a relation.
_ROLES = {
    "spouse": "SPS",
    "child": "CHILD",
    "son": "SONC",
    "daughter": "DAUC",
    "parent": "PRN",
    "father": "FTH",
    "mother": "MTH",
    "grandchild": "GRNDCHILD",
    "grandparent": "GRPRN",
    "sibling": "SIB",
    "other": "FAMMEMB",
}
# Whose contact somebody can be; the head of a household is no relation to a person.
KINSHIPS: dict[str, str] = {code: RELATIONS[code] for code in _ROLES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person to call; without a name there is none."""

    name: str = ""
    relation: str = ""
    phone: str = ""
    is_guardian: bool = False


def contact_faults(contact: Contact) -> dict[str, str]:
    """What is wrong with a contact: a sentence per field with its cure; empty when all is well."""
    found: dict[str, str] = {}
    if not contact.name:
        if contact.phone or contact.relation or contact.is_guardian:
            found["contact_name"] = _("请填写联系人姓名；没有联系人时其余各项留空。")
        return found
    if contact.relation not in KINSHIPS:
        found["contact_relation"] = _("请选择联系人与居民的关系。")
    digits = contact.phone.isascii() and contact.phone.isdecimal() and 7 <= len(contact.phone) <= 12
    if not digits:
        found["contact_phone"] = _("联系人电话应为 11 位手机号或带区号的座机号，只填数字。")
    return found


@transaction.atomic
def change_contact(*, resident: Resident, contact: Contact, actor: Actor) -> Resident:
    """Write down whom to call for a resident, or with an empty name that there is nobody. Raises Refused at the field."""
    queries.check_whole_record(resident_id=resident.pk, permission=Permission.RESIDENT_REGISTER, actor=actor)
    found = contact_faults(contact)
    if found:
        raise Refused(_("联系人有内容需要更正，没有保存。"), fields=found)
    had = bool(resident.contact_name)
    resident.contact_name, resident.contact_relation = contact.name[:60], contact.relation
    resident.contact_phone, resident.contact_is_guardian = contact.phone, contact.is_guardian
    resident.save(update_fields=["contact_name", "contact_relation", "contact_phone", "contact_is_guardian"])
    if had or contact.name:
        record.publish(to_related_person(resident), resident_id=resident.pk, actor=actor, deleted=not contact.name)
    subject, facts = f"resident/{resident.key}", {"changed": ["contact"]}
    events.publish(
        ResidentChanged(
            subject=subject,
            subject_id=resident.pk,
            resident_id=resident.pk,
            organization_id=actor.organization_id,
            consortium_id=actor.consortium_id,
            user_id=actor.user_id,
            details=facts,
        )
    )
    audit.record(action="resident.contact", actor=actor, subject=subject, resident_id=resident.pk, details=facts)
    return resident


def to_mother(resident: Resident, number: str) -> Published:
    """The RelatedPerson of a child who was registered on the mother's id: her number, by which the child is known until it has one."""
    content = elements.compact(
        {
            "resourceType": "RelatedPerson",
            "id": str(uuid5(resident.key, "mother")),
            "identifier": [elements.identifier(systems.NATIONAL_ID, number)],
            "active": True,
            "patient": elements.reference("Patient", resident.key, resident.name),
            "relationship": [elements.concept(_ROLE, "MTH", "mother", "母亲")],
            "gender": "female",
        }
    )
    return Published(
        content=content, organization_id=resident.organization_id, occurred_at=timezone.now(), category="contact"
    )


def to_related_person(resident: Resident) -> Published:
    """The RelatedPerson of a resident's contact as it is now (hl7.org/fhir/R4/relatedperson.html)."""
    code = _ROLES.get(resident.contact_relation, "FAMMEMB")
    relations = [
        elements.concept(_ROLE, code, text=KINSHIPS.get(resident.contact_relation, "")),
        elements.concept(_CONTACT_ROLE, "C", "Emergency Contact", "紧急联系人"),
    ]
    if resident.contact_is_guardian:
        relations.append(elements.concept(_ROLE, "GUARD", "guardian", "监护人"))
    content = elements.compact(
        {
            "resourceType": "RelatedPerson",
            "id": str(uuid5(resident.key, "contact")),
            "active": True,
            "patient": elements.reference("Patient", resident.key, resident.name),
            "relationship": relations,
            "name": [{"text": resident.contact_name}] if resident.contact_name else [],
            "telecom": [{"system": "phone", "value": resident.contact_phone}] if resident.contact_phone else [],
        }
    )
    return Published(
        content=content, organization_id=resident.organization_id, occurred_at=timezone.now(), category="contact"
    )
