"""Encounter, CarePlan and Communication of a referral, from a hospital that is not on Doorstep: the same actions as the pages.

hl7.org/fhir/R4: encounter.html, careplan.html, communication.html. Every one names its referral: an Encounter or Communication by
`basedOn`, a CarePlan by `encounter` (Encounter/<referral>) or `supportingInfo` (ServiceRequest/<referral>).
"""

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.care.referrals import actions, down_queries, queries, texts
from doorstep.care.referrals.actions.treating import default_receiver
from doorstep.care.referrals.down_aims import CLINIC
from doorstep.care.referrals.down_queries import MEDICINES
from doorstep.care.referrals.fhir import RETURN_REASON
from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.permissions import Permission
from doorstep.coordination.beds.permissions import Permission as Beds
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Conflict, NotFound, Refused
from doorstep.kernel.fhir import systems
from doorstep.people.organizations import queries as organizations

_INPATIENT = frozenset({"IMP", "ACUTE", "NONAC"})
_DAY = re.compile(r"第\s*(\d{1,3})\s*天")
_CONTACT, _SIGNS = "答疑：", "警示症状："


class EncounterDoor:
    """Arrived, in progress and finished move the referral; ward, bed and inpatient number come along."""

    def owns(self, resource: dict[str, Any]) -> bool:
        """By the referral that it is based on."""
        return _referral_of(_references(resource.get("basedOn"))) is not None

    def create(self, resource: dict[str, Any], *, actor: Actor) -> str:
        """Move the referral; its Encounter has the referral's id."""
        referral = _referral_of(_references(resource.get("basedOn")))
        if referral is None:
            raise NotFound()
        self.update(str(referral.key), resource, actor=actor)
        return str(referral.key)

    def update(self, fhir_id: str, resource: dict[str, Any], *, actor: Actor) -> None:
        """arrived and triaged check in, in-progress treats or, by class, admits; finished waits for the plan of discharge."""
        referral = _own(fhir_id, actor)
        acting, status = _treating(actor), str(resource.get("status"))
        if status not in ("arrived", "triaged", "in-progress", "onleave", "finished"):
            raise _cannot(referral, status)
        if referral.state in _BEFORE:
            actions.check_in(referral=referral, method=Referral.Arrival.NATIONAL_ID, actor=acting)
            referral = _own(fhir_id, actor)
        if status in ("arrived", "triaged"):
            return
        if is_inpatient(resource) and referral.state in ("arrived", "in_treatment"):
            actions.admit(referral=referral, actor=acting, ward=_ward(resource), inpatient_number=_number(resource))
        elif referral.state == "arrived":
            actions.treat(referral=referral, actor=acting)
        if status == "finished" and _own(fhir_id, actor).discharged_at is None:
            raise Conflict(_("请先发送出院计划（CarePlan），再结束就诊。"))

    def withdraw(self, fhir_id: str, *, actor: Actor) -> None:
        """Nothing is erased."""
        raise Refused(_("转诊就诊记录不能删除。"))


class CarePlanDoor:
    """The plan of discharge: summary, medicines, follow-ups and who answers; then the patient is handed back."""

    def owns(self, resource: dict[str, Any]) -> bool:
        """By the referral that it names."""
        return _referral_of(self._named(resource)) is not None

    def create(self, resource: dict[str, Any], *, actor: Actor) -> str:
        """Discharge with the plan and hand back: to the unit that the follow-ups name, else to the one near home."""
        referral = _referral_of(self._named(resource))
        if referral is None:
            raise NotFound()
        before, acting = _own(str(referral.key), actor).state, _treating(actor)
        if before != "discharged":
            discharge(str(referral.key), resource, actor=actor)
        referral = _own(str(referral.key), actor)
        actions.hand_back(
            referral=referral,
            actor=acting,
            receiver_id=_receiver(resource, referral),
            aim=_aim(resource),
            # Who left with a first plan goes home with this one, when it says more than where to.
            plan=_plan(resource) if before == "discharged" and resource.get("activity") else None,
        )
        plan = queries.plan_of(referral=referral)
        return str(plan.key if plan else referral.key)

    def update(self, fhir_id: str, resource: dict[str, Any], *, actor: Actor) -> None:
        """A plan that went home is followed by the unit that has it now."""
        raise Conflict(_("康复计划已下转，不能再修改；如需更正，请在病例中提问或答复。"))

    def withdraw(self, fhir_id: str, *, actor: Actor) -> None:
        """Nothing is erased."""
        raise Refused(_("康复计划不能删除。"))

    def _named(self, resource: dict[str, Any]) -> list[str]:
        return [*_references([resource.get("encounter")]), *_references(resource.get("supportingInfo"))]


def behind(encounter: dict[str, Any]) -> str:
    """The key of the referral that an Encounter is based on; raises NotFound."""
    referral = _referral_of(_references(encounter.get("basedOn")))
    if referral is None:
        raise NotFound()
    return str(referral.key)


def is_inpatient(encounter: dict[str, Any]) -> bool:
    """Whether an Encounter is a stay, by its class."""
    return str((encounter.get("class") or {}).get("code")) in _INPATIENT


def discharge(referral_key: str, plan: dict[str, Any], *, actor: Actor) -> None:
    """Discharge with the plan of a message; the patient stays with the hospital until the plan is handed back."""
    diagnosis, code = _diagnosis(plan)
    summary = actions.Discharge(
        diagnosis=diagnosis, diagnosis_code=code, summary=str(plan.get("description") or "").strip()
    )
    referral = _own(referral_key, actor)
    actions.discharge(referral=referral, actor=_treating(actor), summary=summary, plan=_plan(plan))


def ask_for_information(resource: dict[str, Any], *, actor: Actor) -> str:
    """A Communication that returns a referral to its sender: reasonCode says what is missing, the payload in words."""
    referral = _referral_of(_references(resource.get("basedOn")))
    if referral is None:
        raise NotFound()
    codings = [one for reason in resource.get("reasonCode") or [] for one in reason.get("coding", [])]
    code = next((str(one.get("code")) for one in codings if one.get("system") == RETURN_REASON), "other")
    actions.return_for_information(
        referral=_own(str(referral.key), actor), code=code, reason=_said(resource), actor=_treating(actor)
    )
    return str(referral.key)


class CommunicationDoor:
    """A question on a case, or, by `inResponseTo`, the answer to one."""

    def owns(self, resource: dict[str, Any]) -> bool:
        """By the referral that it is based on."""
        return _referral_of(_references(resource.get("basedOn"))) is not None

    def create(self, resource: dict[str, Any], *, actor: Actor) -> str:
        """Ask, or answer; an answer stands with its question, under the question's id."""
        acting = actor.with_permissions({*actor.permissions, Permission.CASE_ANSWER})
        answered = next((one for one in _references(resource.get("inResponseTo"))), "")
        if answered:
            self.update(answered.removeprefix("Communication/"), resource, actor=actor)
            return answered.removeprefix("Communication/")
        referral = _referral_of(_references(resource.get("basedOn")))
        if referral is None:
            raise NotFound()
        urgent = resource.get("priority") in ("urgent", "asap", "stat")
        asked = actions.ask_question(referral=referral, text=_said(resource), urgent=urgent, actor=acting)
        return str(asked.key)

    def update(self, fhir_id: str, resource: dict[str, Any], *, actor: Actor) -> None:
        """Answer: the last piece of the payload is what is said."""
        acting = actor.with_permissions({*actor.permissions, Permission.CASE_ANSWER})
        key = organizations.as_uuid(fhir_id)
        if key is None:
            raise NotFound()
        actions.answer_question(question=down_queries.get_question(key=key), text=_said(resource), actor=acting)

    def withdraw(self, fhir_id: str, *, actor: Actor) -> None:
        """Nothing is erased."""
        raise Refused(_("病例答疑不能删除。"))


_BEFORE = ("submitted", "submitted_green", "offered", "accepted", "on_the_way", "not_arrived")


def _references(value: Any) -> list[str]:
    return [str(one["reference"]) for one in value or [] if isinstance(one, dict) and one.get("reference")]


def _referral_of(references: list[str]) -> Referral | None:
    """The referral behind "ServiceRequest/<key>" or "Encounter/<key>", as far as the sender may see it."""
    for one in references:
        kind, _slash, key = one.partition("/")
        if kind in ("ServiceRequest", "Encounter") and organizations.as_uuid(key) is not None:
            found = queries.by_subject(subject=f"referral/{key}")
            if found is not None:
                return found
    return None


def _own(key: str, actor: Actor) -> Referral:
    """The referral, when it goes to one of the sender's units; anything else is as if it were not there."""
    if organizations.as_uuid(key) is None:
        raise NotFound()
    referral = queries.get(key=key, actor=actor)
    if not actor.reaches(referral.target_id):
        raise NotFound()
    return referral


def _treating(actor: Actor) -> Actor:
    more = {Permission.REFERRAL_ACCEPT, Permission.REFERRAL_TREAT, Beds.BED_MANAGE}
    return actor.with_permissions({*actor.permissions, *more})


def _cannot(referral: Referral, wanted: str) -> Conflict:
    return Conflict(
        _("转诊单当前为%(state)s，不能经接口改为 %(wanted)s。")
        % {"state": referral.machine.state(referral.state).zh, "wanted": wanted}
    )


def _ward(resource: dict[str, Any]) -> str:
    places = [str((one.get("location") or {}).get("display") or "") for one in resource.get("location") or []]
    return next((one for one in places if one.strip()), _("病区未报"))


def _number(resource: dict[str, Any]) -> str:
    return next((str(one.get("value") or "") for one in resource.get("identifier") or []), "")


def _said(resource: dict[str, Any]) -> str:
    texts_said = [str(one.get("contentString") or "") for one in resource.get("payload") or []]
    return texts_said[-1] if texts_said else ""


def _diagnosis(resource: dict[str, Any]) -> tuple[str, str]:
    """Words and ICD-10 code of the diagnosis that is addressed: a contained Condition, or the words of the reference."""
    held = {f"#{one.get('id')}": one for one in resource.get("contained") or []}
    for one in resource.get("addresses") or []:
        concept = (held.get(str(one.get("reference"))) or {}).get("code") or {}
        codings = [c for c in concept.get("coding", []) if c.get("system") == systems.ICD10]
        words = concept.get("text") or next((c.get("display") for c in codings), "") or one.get("display") or ""
        if words:
            return str(words), str(codings[0].get("code") or "") if codings else ""
    return "", ""


def _details(resource: dict[str, Any], kinds: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for one in resource.get("activity") or []:
        detail = one.get("detail") or {}
        if detail.get("kind") in kinds:
            yield detail


def _plan(resource: dict[str, Any]) -> actions.Plan:
    notes = [str(one.get("text") or "").strip() for one in resource.get("note") or []]
    contact = next((one.removeprefix(_CONTACT) for one in notes if one.startswith(_CONTACT)), "")
    name, _space, telephone = contact.strip().rpartition(" ")
    signs = next((one.removeprefix(_SIGNS) for one in notes if one.startswith(_SIGNS)), "")
    rest = [one for one in notes if one and not one.startswith((_CONTACT, _SIGNS))]
    return actions.Plan(
        medicines=[_medicine(one) for one in _details(resource, ("MedicationRequest",))],
        follow_up_days=sorted({_day(one) for one in _details(resource, ("Task", "Appointment", "ServiceRequest"))}),
        warning_signs=[one.strip() for one in signs.split("；") if one.strip()],
        rehabilitation="\n".join(rest),
        contact_name=name,
        contact_phone=telephone,
    )


def _medicine(detail: dict[str, Any]) -> dict[str, str]:
    product = detail.get("productCodeableConcept") or {}
    code = next((str(one.get("code")) for one in product.get("coding", []) if one.get("system") == MEDICINES), "")
    words = str(product.get("text") or next((one.get("display") for one in product.get("coding", [])), "") or "")
    described = str(detail.get("description") or "")
    amount = detail.get("dailyAmount") or {}
    frequency = str(detail.get("scheduledString") or "").lower()
    return {
        "code": code,
        "name": words or described,
        "dose": f"{amount.get('value')} {amount.get('unit') or ''}".strip() if amount.get("value") is not None else "",
        "frequency": frequency if frequency in texts.FREQUENCIES else "",
        "days": "",
        "note": described if words else "",
    }


def _day(detail: dict[str, Any]) -> int:
    """How many days after today's discharge a follow-up is; raises Refused when it says neither a day nor a date."""
    start = str((detail.get("scheduledPeriod") or {}).get("start") or "")[:10]
    said = _DAY.search(str(detail.get("description") or ""))
    try:
        return (date.fromisoformat(start) - timezone.localdate()).days if start else int(said.group(1)) if said else 0
    except ValueError as error:
        sentence = _("scheduledPeriod.start 应为日期，例如 2026-03-01。")
        raise Refused(_("随访日期无法识别。"), fields={"activity": sentence}) from error


def _aim(resource: dict[str, Any]) -> str:
    """Where the patient goes, by the plan's category; to the clinic of the family doctor where it names nothing."""
    codings = [one for category in resource.get("category") or [] for one in category.get("coding", [])]
    return next((str(one.get("code")) for one in codings if one.get("system") == systems.REFERRAL_AIM), CLINIC)


def _receiver(resource: dict[str, Any], referral: Referral) -> int:
    for detail in _details(resource, ("Task", "Appointment", "ServiceRequest")):
        for one in _references(detail.get("performer")):
            if one.startswith("Organization/"):
                return organizations.get_by_key(one.removeprefix("Organization/")).pk
    return default_receiver(referral) or 0
