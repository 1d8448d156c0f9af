"""Patient: POST registers a resident as the registration page does, PUT and PATCH change phone and address."""

from datetime import date
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import NotFound, Refused
from doorstep.kernel.fhir.outcome import FhirRefused
from doorstep.kernel.record import stored
from doorstep.people.organizations import queries as organizations
from doorstep.people.residents import actions, queries
from doorstep.people.residents.patient import to_partial_patient
from doorstep.people.residents.patient_reading import Given, numbers_of, read_patient
from doorstep.people.residents.permissions import Permission


class PatientDoor:
    """Every Patient of this server is a resident of the index."""

    def owns(self, resource: dict[str, Any]) -> bool:
        """All of them: a resident is registered, not described."""
        return True

    def create(self, resource: dict[str, Any], *, actor: Actor) -> str:
        """Register a person who stands at the hospital's desk; the unit gets what the page gives it, 30 days of the record.

        A number that is taken is a 409 that shows nothing of its holder, and is counted like a try at the desk.
        """
        _check_right(actor)
        given = read_patient(resource)
        faults = _missing(given) + _not_at_a_desk(resource, actor)
        if faults or given.birth_date is None:
            raise _refused(422, faults)
        new = _new(given, given.birth_date)
        try:
            made = actions.register(new=new, actor=actor)
        except Refused as refused:
            raise _of_fields(refused, given) from refused
        if made is None:
            raise FhirRefused(
                409,
                "duplicate",
                _("这个号码不能重复建档。居民在场时，请改用“核验到场”接诊，不需要重新登记。"),
                given.place("number" if given.number else "mother_number"),
                count=lambda: actions.note_taken(new=new, actor=actor),
            )
        return str(made.key)

    def update(self, fhir_id: str, resource: dict[str, Any], *, actor: Actor) -> None:
        """Change phone and address; what stands on the card is changed at the desk with the document in hand."""
        _check_right(actor)
        resident = queries.get_by_key(fhir_id, actor)
        before = stored.fetch(type="Patient", fhir_id=fhir_id)
        if str(resident.key) != fhir_id or before is None:
            raise FhirRefused(409, "conflict", _("这份档案已并入另一份，请改用合并后的档案。"), "Patient.link")
        faults = _on_the_card(before.content(), resource)
        if faults:
            raise _refused(422, faults)
        given = read_patient(resource)
        groups = [code for code, _label in queries.banner(resident).groups]
        try:
            actions.change(resident=resident, phone=given.phone, address=given.address, groups=groups, actor=actor)
        except Refused as refused:
            raise _of_fields(refused, given) from refused

    def withdraw(self, fhir_id: str, *, actor: Actor) -> None:
        """Nothing: a resident is not erased."""
        raise FhirRefused(
            405,
            "not-supported",
            _("居民档案不能删除；重复的档案由档案管理员合并。"),
            "Patient",
            headers={"Allow": "GET, HEAD, PUT, PATCH"},
        )


def told_in_part(fhir_id: str, actor: Actor) -> tuple[int, dict[str, Any]] | None:
    """The resident behind the id and the part of the Patient that the actor is told; None for who is not in sight at all."""
    try:
        key = UUID(fhir_id)
        resident = queries.get_by_key(key, actor)
    except (ValueError, NotFound):
        return None
    unit = resident.organization
    return resident.pk, to_partial_patient(resident, asked_key=key, organization_key=unit.key)


Fault = tuple[str, str, str]


def _check_right(actor: Actor) -> None:
    if not actor.may(Permission.RESIDENT_REGISTER):
        raise FhirRefused(
            403, "forbidden", _("此系统没有登记居民的权限，请由本单位信息工程师在“系统接入”中开通。"), "Patient"
        )


def _missing(given: Given) -> list[Fault]:
    found = []
    if not given.name:
        found.append(("required", _("请填写姓名，与身份证一致。"), given.place("name")))
    if given.birth_date is None:
        found.append(("required", _("请写明出生日期，精确到日，例如 1963-09-15。"), given.place("birth_date")))
    if not given.gender:
        found.append(("required", _("请写明性别。"), given.place("gender")))
    return found


def _not_at_a_desk(resource: dict[str, Any], actor: Actor) -> list[Fault]:
    """What cannot be true of somebody who stands at this hospital's desk for the first time."""
    found = []
    for name in ("deceasedBoolean", "deceasedDateTime"):
        if resource.get(name):
            found.append(("business-rule", _("登记的是到场的居民；死亡另行记录。"), f"Patient.{name}"))
    if resource.get("active") is False or resource.get("link"):
        where = "Patient.link" if resource.get("link") else "Patient.active"
        found.append(("business-rule", _("新登记的档案是有效的，也不指向其他档案。"), where))
    named = str((resource.get("managingOrganization") or {}).get("reference", ""))
    if named and actor.organization_id is not None:
        own = organizations.get(organization_id=actor.organization_id)
        if named.rpartition("/")[2] != str(own.key):
            sentence = _("建档单位是接入系统所属的单位，不能写成其他单位。")
            found.append(("business-rule", sentence, "Patient.managingOrganization"))
    return found


def _on_the_card(before: dict[str, Any], after: dict[str, Any]) -> list[Fault]:
    """What a change would alter of the facts that are on the card or that other acts decide."""
    sentence = _("证件上的信息和死亡、合并不能经接口修改；请在登记窗口凭证件办理。")
    found = []
    if numbers_of(before) != numbers_of(after):
        found.append(("business-rule", sentence, "Patient.identifier"))
    if read_patient(before).name != read_patient(after).name:
        found.append(("business-rule", sentence, "Patient.name"))
    for name in ("gender", "birthDate", "deceasedDateTime", "deceasedBoolean"):
        if before.get(name) != after.get(name):
            found.append(("business-rule", sentence, f"Patient.{name}"))
    for name in ("active", "link", "managingOrganization"):
        if name in after and after[name] != before.get(name):
            found.append(("business-rule", sentence, f"Patient.{name}"))
    return found


def _new(given: Given, birth_date: date) -> actions.NewResident:
    return actions.NewResident(
        name=given.name,
        birth_date=birth_date,
        gender=given.gender,
        number=given.number,
        document=given.document,
        country=given.country,
        phone=given.phone,
        address=given.address,
        mother_number=given.mother_number,
        birth_order=given.birth_order,
    )


def _of_fields(refused: Refused, given: Given) -> FhirRefused:
    """The page's sentences, each at the element that holds the field."""
    found = [("business-rule", str(sentence), given.place(name)) for name, sentence in refused.fields.items()]
    return _refused(refused.status, found or [("business-rule", str(refused.message), "Patient")])


def _refused(status: int, faults: list[Fault]) -> FhirRefused:
    first, *others = faults
    return FhirRefused(status, *first, more=others)
