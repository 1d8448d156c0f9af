"""A referral and its follow-ups as FHIR R4: ServiceRequest, Task, Consent, Encounter, Composition, CarePlan, Observation.

hl7.org/fhir/R4. Each state has its status in one table; no clock and no decision stands here.
"""

from typing import Any

from django.utils import timezone

from doorstep.care.referrals import contact, down_aims, expecting, form_fhir, texts
from doorstep.care.referrals.models import CaseQuestion, FollowUp, RecoveryPlan, Referral
from doorstep.care.referrals.plan_fhir import plan_resources
from doorstep.coordination.visits import pregnancy
from doorstep.kernel.fhir import systems
from doorstep.kernel.fhir.elements import (
    Json,
    coding,
    compact,
    concept,
    extension,
    identifier,
    instant,
    period,
    quantity,
    reference,
    text_concept,
)
from doorstep.kernel.record.publishing import Published

REFERRAL_NUMBER = f"{systems.BASE}/NamingSystem/referral-number"
REFERRAL_STATE = systems.REFERRAL_STATE
RETURN_REASON = f"{systems.BASE}/CodeSystem/referral-return-reason"
DECLINE_REASON = f"{systems.BASE}/CodeSystem/referral-decline-reason"
BACK_REASON = f"{systems.BASE}/CodeSystem/referral-back-reason"
OFFER_REFUSAL = f"{systems.BASE}/CodeSystem/referral-offer-refusal"
_SNOMED_REFERRAL = ("http://snomed.info/sct", "3457005", "Patient referral")
_CONSENT_SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
_PRIVACY = ("http://loinc.org", "59284-0", "Consent Document")
_DISCHARGE_SUMMARY = ("18842-5", "Discharge summary")

# State of the machine -> Task.status (hl7.org/fhir/R4/task.html#statemachine); total over the table.
TASK_STATUS = {
    "draft": "draft", "submitted": "requested", "submitted_green": "requested", "returned": "on-hold", "offered": "received",
    "accepted": "accepted", "on_the_way": "accepted", "not_arrived": "on-hold", "arrived": "in-progress",
    "in_treatment": "in-progress", "admitted": "in-progress", "discharged": "in-progress", "handed_back": "in-progress", "expected_back": "in-progress",
    "received_back": "in-progress", "closed": "completed", "advised": "completed", "outside": "in-progress",
    "outside_closed": "completed", "elsewhere": "cancelled", "declined": "rejected", "withdrawn": "cancelled",
    "died": "cancelled",
}  # fmt: skip
# The consent is written where it is signed; later stages do not change it.
_CONSENTED = ("submitted", "submitted_green", "handed_back")
# What the form says is written where it is sent.
_SENT = ("submitted", "submitted_green")
_DISPOSITIONS = "http://terminology.hl7.org/CodeSystem/discharge-disposition"
# Where a patient goes -> HL7's discharge disposition; who lies in a centre's bed goes to another facility.
_DISPOSITION = {
    down_aims.CLINIC: ("home", "Home"),
    down_aims.HOME: ("home", "Home"),
    down_aims.BED: ("other-hcf", "Other healthcare facility"),
    down_aims.REHABILITATION: ("rehab", "Rehabilitation"),
    down_aims.CARE_HOME: ("long", "Long-term care"),
}
_PRIORITY = {"ordinary": "routine", "urgent": "urgent", "green": "stat"}


def referral_resources(referral: Referral) -> list[Published]:
    """Every resource that shows the referral as it is now."""
    contents = [service_request(referral), task(referral)]
    if referral.consent_signed_at is not None and referral.state in _CONSENTED:
        contents.append(consent(referral))
    if referral.pregnancy and referral.state in _SENT:
        contents.append(pregnancy_status(referral))
    if referral.treated_at is not None or referral.arrived_at is not None:
        contents.append(encounter(referral))
    if referral.discharged_at is not None:
        contents.append(composition(referral))
        plan = RecoveryPlan.objects.filter(referral_id=referral.pk).first()
        if plan is not None:
            contents += plan_resources(plan, referral)
    return [_published(content, referral) for content in contents]


def follow_up_resources(follow_up: FollowUp) -> list[Published]:
    """The recovery plan with its follow-ups as they stand, and the blood pressure that was found."""
    referral = follow_up.referral
    found: list[Json] = []
    plan = RecoveryPlan.objects.filter(referral_id=referral.pk).first()
    if plan is not None:
        found += plan_resources(plan, referral)
    if follow_up.done_at is not None and follow_up.systolic and follow_up.diastolic:
        found.append(blood_pressure(follow_up))
    if follow_up.done_at is not None:
        found.append(form_fhir.response(follow_up, plan, _patient(referral)))
    return [
        Published(
            content=content,
            organization_id=follow_up.unit_id,
            occurred_at=follow_up.done_at or referral.discharged_at or follow_up.created_at,
            episode=referral.shown_under,
            category="vital-signs" if content["resourceType"] == "Observation" else "referral",
        )
        for content in found
    ]


def service_request(referral: Referral) -> Json:
    """The referral itself; one that goes down is for the unit that takes the patient over."""
    goal = referral.receiver if referral.direction == Referral.Direction.DOWN else referral.target
    return compact(
        {
            "resourceType": "ServiceRequest",
            "id": str(referral.key),
            "identifier": [identifier(REFERRAL_NUMBER, referral.number)],
            "status": referral.machine.state(referral.state).fhir,
            "intent": "order",
            "category": [concept(systems.REFERRAL_KIND, referral.kind, str(Referral.Kind(referral.kind).label))],
            "priority": _PRIORITY[referral.kind],
            "code": concept(*_SNOMED_REFERRAL, text="双向转诊"),
            "orderDetail": [concept(systems.REFERRAL_AIM, referral.aim, str(Referral.Aim(referral.aim).label))],
            "subject": _patient(referral),
            "occurrenceDateTime": instant(referral.expected_at) if referral.expected_at else None,
            "authoredOn": instant(referral.submitted_at or referral.created_at),
            "requester": reference("Practitioner", referral.referrer.key, referral.referrer.name),
            "performer": [_organization(goal)] if goal else [],
            "performerType": text_concept(referral.department.name) if referral.department else None,
            "reasonCode": [_impression(referral)],
            "reasonReference": [{"reference": referral.origin_reference}] if referral.origin_reference else [],
            "supportingInfo": [{"reference": line["reference"], "display": line["title"]} for line in referral.packet]
            + (
                [reference("Observation", referral.key, "妊娠状态")]
                if referral.pregnancy and referral.submitted_at
                else []
            ),
            "note": [
                {"text": text} for text in (referral.present_illness, referral.history, referral.treatment) if text
            ],
            "extension": contact.extensions(referral)
            + [
                extension(
                    systems.BENEFIT_DECISION,
                    valueString=f"{one['title']}：{'是' if one['granted'] else '否'}，{one['reason']}",
                )
                for one in referral.benefits
            ],
        }
    )


def pregnancy_status(referral: Referral) -> Json:
    """What the form says of a pregnancy: the record knows it from now on, and later referrals ask less."""
    at = referral.submitted_at or referral.created_at
    said = expecting.said_of(referral, day=timezone.localdate(at))
    if said is None:
        raise LookupError("nothing was said")
    return pregnancy.to_observation(
        said,
        id=referral.key,
        subject=_patient(referral),
        performer=reference("Practitioner", referral.referrer.key, referral.referrer.name),
        at=instant(at),
    )


def task(referral: Referral) -> Json:
    """Where the referral stands and with whom it lies."""
    state = referral.machine.state(referral.state)
    owner = {"source": referral.source, "target": referral.target, "receiver": referral.receiver}.get(state.owner or "")
    return compact(
        {
            "resourceType": "Task",
            "id": str(referral.key),
            "basedOn": [reference("ServiceRequest", referral.key)],
            "focus": reference("ServiceRequest", referral.key),
            "status": TASK_STATUS[referral.state],
            "statusReason": _status_reason(referral),
            "businessStatus": concept(REFERRAL_STATE, referral.state, state.en, state.zh),
            "intent": "order",
            "priority": _PRIORITY[referral.kind],
            "description": state.task_zh or state.zh,
            "for": _patient(referral),
            "authoredOn": instant(referral.created_at),
            "lastModified": instant(referral.state_since),
            "requester": _organization(referral.source),
            "owner": _organization(owner),
        }
    )


def consent(referral: Referral) -> Json:
    """What the patient agreed to: sending the record to the target for this referral."""
    return compact(
        {
            "resourceType": "Consent",
            "id": str(referral.key),
            "status": "active" if referral.state not in ("withdrawn", "declined", "died", "closed") else "inactive",
            "scope": concept(_CONSENT_SCOPE, "patient-privacy", "Privacy Consent"),
            "category": [concept(*_PRIVACY)],
            "patient": _patient(referral),
            "dateTime": instant(referral.consent_signed_at) if referral.consent_signed_at else None,
            "performer": [_patient(referral)],
            "organization": [_organization(referral.source)],
            "policyRule": text_concept(f"双向转诊知情同意书 {referral.consent_version}"),
            "provision": compact(
                {
                    "type": "permit",
                    "actor": [
                        {
                            "role": concept(
                                "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
                                "PRCP",
                                "primary information recipient",
                            ),
                            "reference": _organization(referral.target),
                        }
                    ]
                    if referral.target
                    else [],
                    "data": [{"meaning": "related", "reference": reference("ServiceRequest", referral.key)}],
                }
            ),
            "verification": [{"verified": True, "verifiedWith": {"display": referral.consent_signer}}],
        }
    )


def encounter(referral: Referral) -> Json:
    """The stay, or the outpatient treatment, at the target."""
    inpatient = bool(referral.ward)
    attending = referral.attending
    return compact(
        {
            "resourceType": "Encounter",
            "id": str(referral.key),
            "identifier": [identifier(f"{systems.BASE}/NamingSystem/inpatient-number", referral.inpatient_number)]
            if referral.inpatient_number
            else [],
            "status": "finished" if referral.discharged_at else "in-progress" if referral.treated_at else "arrived",
            "class": coding(systems.ENCOUNTER_CLASS, "IMP", "inpatient encounter")
            if inpatient
            else coding(systems.ENCOUNTER_CLASS, "AMB", "ambulatory"),
            "subject": _patient(referral),
            "basedOn": [reference("ServiceRequest", referral.key)],
            "participant": [{"individual": reference("Practitioner", attending.key, attending.name)}]
            if attending
            else [],
            "period": period(referral.treated_at or referral.arrived_at, referral.discharged_at),
            "reasonCode": [_impression(referral)],
            "location": [{"location": {"display": f"{referral.ward} {referral.bed}".strip()}}] if inpatient else [],
            "hospitalization": _went_to(referral) if referral.handed_back_at and referral.goes_to else None,
            "serviceProvider": _organization(referral.target),
        }
    )


def _went_to(referral: Referral) -> Json:
    """Where the patient went after the stay, and to which unit."""
    code, display = _DISPOSITION[referral.goes_to]
    return compact(
        {
            "destination": _organization(referral.receiver),
            "dischargeDisposition": concept(_DISPOSITIONS, code, display, down_aims.AIMS[referral.goes_to].text),
        }
    )


def composition(referral: Referral) -> Json:
    """The discharge summary."""
    attending = referral.attending
    author = reference("Practitioner", attending.key, attending.name) if attending else _organization(referral.target)
    parts = (
        ("出院诊断", referral.discharge_diagnosis),
        ("主要检查结果", referral.findings),
        ("治疗经过", referral.discharge_summary),
        ("转归", referral.outcome),
    )
    return compact(
        {
            "resourceType": "Composition",
            "id": str(referral.key),
            "status": "final",
            "type": concept(systems.LOINC, *_DISCHARGE_SUMMARY, text="出院小结"),
            "subject": _patient(referral),
            "encounter": reference("Encounter", referral.key),
            "date": instant(referral.discharged_at) if referral.discharged_at else None,
            "author": [author],
            "title": "出院小结",
            "custodian": _organization(referral.target),
            "section": [{"title": title, "text": _narrative(text)} for title, text in parts if text],
        }
    )


def blood_pressure(follow_up: FollowUp) -> Json:
    """The blood pressure that a follow-up found."""
    at_home = follow_up.way in texts.FROM_HOME
    parts = (("8480-6", "收缩压", follow_up.systolic), ("8462-4", "舒张压", follow_up.diastolic))
    return compact(
        {
            "resourceType": "Observation",
            "id": str(follow_up.key),
            "status": "final",
            "category": [concept(systems.OBSERVATION_CATEGORY, "vital-signs", "Vital Signs")],
            "code": concept(systems.LOINC, "85354-9", "Blood pressure panel with all children optional", "血压"),
            "subject": _patient(follow_up.referral),
            "effectiveDateTime": instant(follow_up.done_at) if follow_up.done_at else None,
            # Told by telephone it is what the patient measured: held against the limits of home.
            "performer": [_patient(follow_up.referral) if at_home else _organization(follow_up.unit)],
            "method": text_concept("家庭自测") if at_home else None,
            "component": [
                {
                    "code": concept(systems.LOINC, code, text=name),
                    "valueQuantity": quantity(value, "mmHg", "mm[Hg]"),
                }
                for code, name, value in parts
                if value
            ],
        }
    )


def question_resources(question: CaseQuestion) -> list[Published]:
    """A question on a case as a Communication: who asked whom, what, and what was answered."""
    people = (question.asked_by, question.answered_by)
    texts = [question.text, *([question.answer] if question.answer else [])]
    content = compact(
        {
            "resourceType": "Communication",
            "id": str(question.key),
            "basedOn": [reference("ServiceRequest", question.referral.key)],
            "status": question.machine.state(question.state).fhir,
            "category": [text_concept("病例答疑")],
            "priority": "urgent" if question.urgent else "routine",
            "subject": _patient(question.referral),
            "sent": instant(question.created_at),
            "received": instant(question.answered_at) if question.answered_at else None,
            "sender": reference("Practitioner", people[0].key, people[0].name)
            if people[0]
            else _organization(question.asker),
            "recipient": [_organization(question.answerer)],
            "payload": [{"contentString": text} for text in texts],
        }
    )
    return [
        Published(
            content=content,
            organization_id=question.asker_id,
            occurred_at=question.answered_at or question.created_at,
            episode=question.referral.shown_under,
            category="referral",
        )
    ]


def _status_reason(referral: Referral) -> Json | None:
    if referral.state == "returned" and referral.return_code:
        label = str(Referral.ReturnReason(referral.return_code).label)
        return concept(RETURN_REASON, referral.return_code, label)
    if referral.state in ("submitted", "submitted_green") and referral.offer_refusal:
        label = str(Referral.OfferRefusal(referral.offer_refusal).label)
        return concept(OFFER_REFUSAL, referral.offer_refusal, label)
    if referral.decline_code:
        return concept(DECLINE_REASON, referral.decline_code, str(Referral.DeclineReason(referral.decline_code).label))
    return None


def _impression(referral: Referral) -> Json:
    if referral.impression_code:
        return concept(systems.ICD10, referral.impression_code, referral.impression)
    return text_concept(referral.impression or "未填写")


def _narrative(text: str) -> Json:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{escaped}</p></div>'}


def _patient(referral: Referral) -> Json:
    return reference("Patient", referral.resident_key, referral.patient_name)


def _organization(organization: Any) -> Json | None:
    return reference("Organization", organization.key, organization.name) if organization else None


def _published(content: Json, referral: Referral) -> Published:
    moments = {
        "Encounter": referral.treated_at,
        "Composition": referral.discharged_at,
        "CarePlan": referral.discharged_at,
        "Consent": referral.consent_signed_at,
    }
    return Published(
        content=content,
        organization_id=referral.source_id
        if content["resourceType"] in ("ServiceRequest", "Consent", "Observation")
        else referral.target_id or referral.source_id,
        occurred_at=moments.get(content["resourceType"]) or referral.submitted_at or referral.created_at,
        episode=referral.shown_under,
        category="referral",
    )
