"""ServiceRequest with our referral profile: drafts, submits, withdraws (hl7.org/fhir/R4/servicerequest.html)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from doorstep.care.referrals import actions, contact, expecting, queries
from doorstep.care.referrals.actions import Consent
from doorstep.care.referrals.models import Referral
from doorstep.care.referrals.permissions import Permission
from doorstep.coordination.scheduling.permissions import Permission as Scheduling
from doorstep.coordination.visits.pregnancy import Said, from_observation
from doorstep.kernel.access.actor import Actor
from doorstep.kernel.access.refusals import Conflict, NotFound, Refused
from doorstep.kernel.fhir import systems
from doorstep.people.organizations import queries as organizations
from doorstep.people.residents import queries as residents
from doorstep.people.workforce import queries as workforce
from doorstep.site.roles import ROLES

_KINDS = {"routine": "ordinary", "urgent": "urgent", "asap": "urgent", "stat": "green"}


class ReferralDoor:
    """ServiceRequests that are referrals; every other request is taken as the hospital sends it."""

    def owns(self, resource: dict[str, Any]) -> bool:
        """By our profile, or by a category of our kinds of referrals."""
        categories = resource.get("category")
        codings = [
            coding
            for category in (categories if isinstance(categories, list) else [])
            for coding in category.get("coding", [])
        ]
        return systems.REFERRAL_PROFILE in (resource.get("meta") or {}).get("profile", []) or any(
            coding.get("system") == systems.REFERRAL_KIND for coding in codings
        )

    def create(self, resource: dict[str, Any], *, actor: Actor) -> str:
        """Draft with everything the record knows, fill in what is said, and with status active submit."""
        actor = _referrer(resource, actor)
        found = residents.behind_reference(reference=str((resource.get("subject") or {}).get("reference", "")))
        if found is None:
            raise NotFound()
        origin = next((str(one["reference"]) for one in resource.get("reasonReference", []) if "reference" in one), "")
        referral = actions.draft_from_record(
            resident=residents.get(resident_id=found[0]), actor=actor, origin_reference=origin
        )
        self._say(referral, resource, actor)
        return str(referral.key)

    def update(self, fhir_id: str, resource: dict[str, Any], *, actor: Actor) -> None:
        """Change a draft, submit it, or withdraw it by status revoked."""
        referral = queries.get(key=fhir_id, actor=actor)
        wanted, now = resource.get("status"), referral.machine.state(referral.state).fhir
        if wanted == "revoked" and now != "revoked":
            actions.withdraw(referral=referral, reason=_reason(resource), actor=_permitted(actor))
        elif referral.state in ("draft", "returned") and wanted in ("draft", "active", "on-hold"):
            self._say(referral, resource, _referrer(resource, actor))
        elif wanted != now:
            raise Conflict(
                _("转诊单当前为%(state)s，不能经接口改为 %(wanted)s。")
                % {"state": referral.machine.state(referral.state).zh, "wanted": wanted}
            )
        else:
            raise Conflict(_("转诊单已提交或已撤回，不能再修改。请刷新后查看。"))

    def withdraw(self, fhir_id: str, *, actor: Actor) -> None:
        """A DELETE withdraws: a referral is never erased."""
        referral = queries.get(key=fhir_id, actor=actor)
        actions.withdraw(referral=referral, reason=_("接入系统撤回"), actor=_permitted(actor))

    def _say(self, referral: Referral, resource: dict[str, Any], actor: Actor) -> None:
        """What the resource says of the form; an active one is submitted."""
        actions.revise(referral=referral, actor=actor, values=_values(resource))
        slot = _extension(resource, systems.REFERRAL_SLOT).get("valueReference", {}).get("reference", "")
        if slot:
            actions.hold_slot(referral=referral, slot_key=str(slot).removeprefix("Slot/"), actor=actor)
        elif resource.get("status") == "active":
            # Without a place a bed is asked for.
            actions.revise(referral=referral, actor=actor, values={"bed_requested": True})
        if resource.get("status") == "active":
            actions.submit(referral=referral, consent=_consent(resource), actor=actor)


def _permitted(actor: Actor) -> Actor:
    return actor.with_permissions({*actor.permissions, Permission.REFERRAL_SUBMIT, Scheduling.SLOT_BOOK})


def _referrer(resource: dict[str, Any], actor: Actor) -> Actor:
    """The hospital system on behalf of the doctor whom the request names, when this doctor may refer for its units."""
    reference = str((resource.get("requester") or {}).get("reference", ""))
    key = organizations.as_uuid(reference.removeprefix("Practitioner/"))
    message = _("requester 应是本单位有转诊权限的医师：Practitioner/…。")
    if key is None:
        raise Refused(message, fields={"requester": message})
    try:
        person = workforce.get_practitioner(key=key)
    except NotFound as error:
        raise Refused(message, fields={"requester": message}) from error
    posts = workforce.standing_posts(practitioner_id=person.pk)
    if not any(
        post.organization_id in actor.reach
        and post.role in ROLES
        and Permission.REFERRAL_SUBMIT in ROLES[post.role].permissions
        for post in posts
    ):
        raise Refused(message, fields={"requester": message})
    return replace(_permitted(actor), practitioner_id=person.pk)


def _values(resource: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    kinds = [
        str(coding.get("code"))
        for category in resource.get("category", [])
        for coding in category.get("coding", [])
        if coding.get("system") == systems.REFERRAL_KIND
    ]
    kind = kinds[0] if kinds else _KINDS.get(str(resource.get("priority")), "")
    if kind in Referral.Kind.values:
        values["kind"] = kind
    unit = next((str(one.get("reference", "")) for one in resource.get("performer", [])), "")
    if unit.startswith("Organization/"):
        values["target_id"] = organizations.get_by_key(unit.removeprefix("Organization/")).pk
    reason: dict[str, Any] = next(iter(resource.get("reasonCode", [])), {})
    if reason:
        codes = [str(one["code"]) for one in reason.get("coding", []) if one.get("system") == systems.ICD10]
        values["impression"] = str(reason.get("text") or reason.get("coding", [{}])[0].get("display", ""))[:200]
        values["impression_code"] = codes[0][:16] if codes else ""
    notes = [str(one["text"]) for one in resource.get("note", []) if "text" in one]
    values |= contact.said(_extension(resource, systems.REFERRAL_CONTACT))
    values |= expecting.told_values(_said_of_pregnancy(resource), day=timezone.localdate())
    values |= dict(zip(("present_illness", "history", "treatment"), notes, strict=False))
    return values


def _said_of_pregnancy(resource: dict[str, Any]) -> Iterator[Said]:
    """What the contained Observations that the request names say of a pregnancy; one without a time speaks of today."""
    named = {str(one.get("reference")) for one in resource.get("supportingInfo") or []}
    for one in resource.get("contained") or []:
        if f"#{one.get('id')}" not in named or one.get("resourceType") != "Observation":
            continue
        if one.get("status") in ("entered-in-error", "cancelled"):
            continue
        said = from_observation(one, on=_day_of(one))
        if said is not None:
            yield said


def _day_of(observation: dict[str, Any]) -> date:
    told = str(observation.get("effectiveDateTime") or "")
    try:
        return timezone.localdate(datetime.fromisoformat(told)) if "T" in told else date.fromisoformat(told)
    except ValueError:
        return timezone.localdate()


def _consent(resource: dict[str, Any]) -> Consent:
    parts = {
        one.get("url"): one.get("valueString") or one.get("valueCode")
        for one in _extension(resource, systems.REFERRAL_CONSENT).get("extension", [])
    }
    return Consent(signer=str(parts.get("signer") or ""), relation=str(parts.get("relation") or ""))


def _extension(resource: dict[str, Any], url: str) -> dict[str, Any]:
    found: dict[str, Any] = next((one for one in resource.get("extension", []) if one.get("url") == url), {})
    return found


def _reason(resource: dict[str, Any]) -> str:
    notes = [str(one["text"]) for one in resource.get("note", []) if "text" in one]
    return notes[-1] if notes else _("接入系统撤回")
