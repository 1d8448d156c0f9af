"""The form of a follow-up after discharge as FHIR R4 Questionnaire, and one that was filled in as QuestionnaireResponse.

hl7.org/fhir/R4: questionnaire, questionnaireresponse.
"""

from collections.abc import Mapping
from datetime import datetime

from doorstep.care.referrals import texts
from doorstep.care.referrals.models import FollowUp, RecoveryPlan
from doorstep.kernel.fhir import systems
from doorstep.kernel.fhir.elements import Json, coding, compact, instant, reference
from doorstep.kernel.record.publishing import Published

ID, VERSION = "discharge-follow-up", "1"
URL = f"{systems.BASE}/Questionnaire/{ID}"
ANSWERS = f"{systems.BASE}/CodeSystem/follow-up-answer"
_ADHERENCE: dict[str, str] = {str(code): str(label) for code, label in FollowUp.Adherence.choices}
_MEASURED = (
    ("systolic", "8480-6", "收缩压（mmHg）"),
    ("diastolic", "8462-4", "舒张压（mmHg）"),
    ("pulse", "8867-4", "脉搏（次/分）"),
)


def questionnaire(*, at: datetime) -> Published:
    """The form itself: no resident's, open to every client."""
    content: Json = {
        "resourceType": "Questionnaire",
        "id": ID,
        "url": URL,
        "version": VERSION,
        "name": "DischargeFollowUp",
        "title": "出院后随访",
        "status": "active",
        "subjectType": ["Patient"],
        "item": [
            _choice("way", "随访方式", texts.WAYS, required=True),
            *(
                {"linkId": link, "code": [coding(systems.LOINC, loinc)], "text": text, "type": "integer"}
                for link, loinc, text in _MEASURED
            ),
            _choice("symptoms", "症状", texts.FOLLOW_UP_SYMPTOMS, repeats=True),
            _choice("adherence", "服药情况", _ADHERENCE, required=True),
            {"linkId": "adverse-reaction", "text": "药物不良反应", "type": "string", "maxLength": 200},
            {"linkId": "advice", "text": "处理意见", "type": "text", "maxLength": 400},
            {"linkId": "worse", "text": "病情变化，需要再次转诊", "type": "boolean", "required": True},
        ],
    }
    return Published(content=content, organization_id=None, occurred_at=at)


def response(follow_up: FollowUp, plan: RecoveryPlan | None, patient: Json) -> Json:
    """What was filled in at a follow-up that is done; fields left open are no items."""
    author = follow_up.done_by
    items = [
        _coded("way", "随访方式", [follow_up.way] if follow_up.way else [], texts.WAYS),
        *(_plain(link, text, "valueInteger", getattr(follow_up, link)) for link, _loinc, text in _MEASURED),
        _coded("symptoms", "症状", follow_up.symptoms, texts.FOLLOW_UP_SYMPTOMS),
        _coded("adherence", "服药情况", [follow_up.adherence] if follow_up.adherence else [], _ADHERENCE),
        _plain("adverse-reaction", "药物不良反应", "valueString", follow_up.adverse_reaction),
        _plain("advice", "处理意见", "valueString", follow_up.advice),
        _plain("worse", "病情变化，需要再次转诊", "valueBoolean", follow_up.state == "escalated"),
    ]
    return compact(
        {
            "resourceType": "QuestionnaireResponse",
            "id": str(follow_up.key),
            "basedOn": [reference("CarePlan", plan.key)] if plan is not None else [],
            "questionnaire": f"{URL}|{VERSION}",
            "status": "completed",
            "subject": patient,
            "authored": instant(follow_up.done_at) if follow_up.done_at else None,
            "author": reference("Practitioner", author.key, author.name)
            if author
            else reference("Organization", follow_up.unit.key, follow_up.unit.name),
            "item": [one for one in items if one["answer"]],
        }
    )


def _choice(link: str, text: str, answers: Mapping[str, str], *, required: bool = False, repeats: bool = False) -> Json:
    options = [{"valueCoding": coding(ANSWERS, code, words)} for code, words in answers.items()]
    flags = {name: True for name, given in (("required", required), ("repeats", repeats)) if given}
    return {"linkId": link, "text": text, "type": "choice", **flags, "answerOption": options}


def _coded(link: str, text: str, codes: list[str], answers: Mapping[str, str]) -> Json:
    return {
        "linkId": link,
        "text": text,
        "answer": [{"valueCoding": coding(ANSWERS, code, answers.get(code, ""))} for code in codes],
    }


def _plain(link: str, text: str, kind: str, value: object) -> Json:
    return {"linkId": link, "text": text, "answer": [] if value in (None, "") else [{kind: value}]}
